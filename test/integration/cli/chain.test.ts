import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Contract, JsonRpcProvider } from 'ethers';
import { parseDeployment } from '#chain/deployment.ts';
import { exitCodeOf } from '#protocol/index.ts';
import { ended, runCli, spawnCli, spawnLauncher } from './run-cli.ts';

/** A node that hands everything on to another one, once it is told to. */
async function slowNode(url: string): Promise<{ url: string; answer: () => void; close: () => void }> {
  let answer = (): void => undefined;
  const told = new Promise<void>((resolve) => (answer = resolve));
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      await told;
      const answered = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      response.setHeader('content-type', 'application/json').end(await answered.text());
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, answer, close: () => void server.close() };
}

/** What the contracts of a deployment say about who runs them. */
async function termsOnChain(url: string, deployment: unknown): Promise<readonly string[]> {
  const { escrow, registry, router } = parseDeployment(deployment);
  const provider = new JsonRpcProvider(url);
  const ask = async (contract: string, name: string): Promise<string> =>
    String(await new Contract(contract, [`function ${name}`], provider).getFunction(name.split('(')[0]!)());
  try {
    return [
      await ask(registry, 'threshold() view returns (uint256)'),
      await ask(escrow, 'feeBps() view returns (uint16)'),
      await ask(escrow, 'feeAccount() view returns (address)'),
      await ask(registry, 'guardian() view returns (address)'),
      await ask(router, 'guardian() view returns (address)'),
    ];
  } finally {
    provider.destroy();
  }
}

describe('stun chain', function () {
  this.timeout(120_000);

  it('runs a development chain, deploys to it, and ends with one document when it is stopped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stun-chain-'));
    const child = spawnLauncher(['chain', 'dev', '--port', '0', '--json']);
    const end = ended(child);
    try {
      const said = await new Promise<string>((resolve, reject) => {
        let text = '';
        child.stderr?.on('data', (chunk) => {
          text += String(chunk);
          if (/key 0x[0-9a-f]{64}\n/.test(text)) resolve(text);
        });
        child.on('exit', () => reject(new Error('the chain ended')));
      });
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? '';
      const key = /key (0x[0-9a-f]{64})/.exec(said)?.[1] ?? '';
      const accounts = [1, 2, 3].map((n) => `0x${String(n).padStart(40, '0')}`);
      const file = join(folder, 'deployment.json');
      const terms = ['--threshold', '3', '--fee-bps', '250', '--fee-account', accounts[1]!, '--guardian', accounts[2]!];
      const attestors = accounts.flatMap((one) => ['--attestor', one]);
      const args = ['chain', 'deploy', '--rpc', url, '--deployment', file, ...attestors, ...terms];
      const noKey = await runCli([...args, '--json']);
      assert.equal(noKey.exitCode, exitCodeOf('STUN_CONFIG'));
      const deployed = await runCli([...args, '--json'], { STUN_PRIVATE_KEY: key });
      assert.equal(deployed.exitCode, 0, deployed.stdout);
      const { deployment } = JSON.parse(deployed.stdout) as { deployment: unknown };
      assert.deepEqual(parseDeployment(JSON.parse(await readFile(file, 'utf8'))), parseDeployment(deployment));
      assert.deepEqual(await termsOnChain(url, deployment), ['3', '250', accounts[1], accounts[2], accounts[2]]);
      assert.ok(!(deployed.stdout + deployed.stderr).includes(key.slice(2)), 'the key is not printed');
      const slow = await slowNode(url);
      try {
        const show = ['stake', 'show', '--provider', accounts[0]!, '--rpc', slow.url, '--deployment', file, '--json'];
        const waiting = spawnCli(show);
        waiting.stderr?.on('data', (said) => {
          if (String(said).includes('stun: still: stake show, ')) slow.answer();
        });
        const shown = await ended(waiting);
        assert.equal(shown.exitCode, 0, shown.stdout);
        assert.equal((JSON.parse(shown.stdout) as { total: string }).total, '0');
      } finally {
        slow.close();
      }
      const second = await runCli(['chain', 'dev', '--port', new URL(url).port, '--json']);
      assert.equal(second.exitCode, exitCodeOf('STUN_CONFIG'));
      assert.match(second.stdout, new RegExp(`"STUN_CONFIG"[^]*port ${new URL(url).port} is in use`));
      const doctor = await runCli(['doctor', '--json', '--rpc', url, '--deployment', file]);
      const { findings } = JSON.parse(doctor.stdout) as { findings: { id: string; status: string }[] };
      assert.equal(findings.find((finding) => finding.id === 'chain')?.status, 'ok');
    } finally {
      // To the group, as a service manager does: the launcher passes its own signal on, so the command gets two.
      process.kill(-child.pid!, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    }
    const { exitCode, stdout } = await end;
    assert.equal(exitCode, 0);
    assert.equal((JSON.parse(stdout) as { chainId: number }).chainId, 31337);
  });
});
