import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDeployment } from '#chain/deployment.ts';
import { exitCodeOf } from '#protocol/index.ts';
import { ended, runCli, spawnLauncher } from './run-cli.ts';

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
      const args = ['chain', 'deploy', '--rpc', url, '--deployment', file, ...accounts.flatMap((one) => ['--attestor', one])];
      const noKey = await runCli([...args, '--json']);
      assert.equal(noKey.exitCode, exitCodeOf('STUN_CONFIG'));
      const deployed = await runCli([...args, '--json'], { STUN_PRIVATE_KEY: key });
      assert.equal(deployed.exitCode, 0, deployed.stdout);
      const { deployment } = JSON.parse(deployed.stdout) as { deployment: unknown };
      assert.deepEqual(parseDeployment(JSON.parse(await readFile(file, 'utf8'))), parseDeployment(deployment));
      assert.ok(!(deployed.stdout + deployed.stderr).includes(key.slice(2)), 'the key is not printed');
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
