/** A two-party ceremony on the command line, from powers of tau made here to the exported folder, and a third party's look at it. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandResult } from '#cli/command.ts';
import { buildProgram } from '#cli/program.ts';
import { Runner } from '#cli/runner.ts';
import { fileSha256 } from '#circuits/build/build-circuit.ts';
import { transcriptHashOf } from '#protocol/index.ts';
import { localPowers, smallCircuit } from '#test/circuits/ceremony-fixture.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { runCli } from './run-cli.ts';

const ENTROPY = 'dice 3 5 1 6 and the wind of the day';

describe('stun ceremony', function () {
  this.timeout(240_000);
  let folder: string;
  let ptau: string;
  let ground: string[];
  let r1csPath: string;
  const lines: string[] = [];
  const at = (name: string): string => join(folder, name);

  async function stun(args: readonly string[], signal = new AbortController().signal): Promise<CommandResult> {
    const runner = new Runner({ progress: (line) => void lines.push(line), signal });
    await buildProgram(runner).parseAsync(['ceremony', ...args], { from: 'user' });
    assert.ok(runner.result !== undefined && runner.result.exitCode === 0);
    return runner.result;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-ceremony-'));
    const local = await localPowers(8);
    ptau = local.path;
    await writeFile(at('table.json'), JSON.stringify([local.row]));
    ({ r1csPath } = await smallCircuit(20));
    ground = ['--r1cs', r1csPath, '--ptau', ptau, '--rehearsal-table', at('table.json')];
    process.env['STUN_CEREMONY_ENTROPY'] = ENTROPY;
  });
  after(async () => {
    delete process.env['STUN_CEREMONY_ENTROPY'];
    await rm(folder, { recursive: true, force: true });
  });

  it('takes powers of tau only from the published table, or loudly from another', async () => {
    await rejectsCode(stun(['import-ptau', ptau]), 'STUN_CEREMONY_PTAU_SIZE');
    const { document } = await stun(['import-ptau', ptau, '--r1cs', r1csPath, '--rehearsal-table', at('table.json')]);
    assert.deepEqual([(document as { power: number }).power, (document as { leastPower: number }).leastPower], [8, 5]);
    assert.ok(lines.some((line) => line.startsWith('REHEARSAL')));
    await writeFile(at('bad.json'), '[{"power": 8}]');
    await rejectsCode(stun(['import-ptau', ptau, '--rehearsal-table', at('bad.json')]), 'STUN_INPUT');
    const { r1csPath: large } = await smallCircuit(300);
    await rejectsCode(
      stun(['import-ptau', ptau, '--r1cs', large, '--rehearsal-table', at('table.json')]),
      'STUN_CEREMONY_PTAU_POWER',
    );
  });

  it('goes from start to finish with two parties, a beacon and a transcript that anybody makes again', async () => {
    const { text: started } = await stun(['start', ...ground, '--out', at('0.zkey')]);
    assert.match(started, /Circuit hash\n(?: {4}(?:[0-9a-f]{8} ?){4}\n?){4}$/);
    const alice = await stun(['contribute', at('0.zkey'), '--out', at('1.zkey'), '--name', 'Alice']);
    await stun(['contribute', at('1.zkey'), '--out', at('2.zkey'), '--name', 'Bob\u001b[2J']);
    const { document: first } = alice as unknown as { document: { contributionHash: string; sha256After: string } };
    assert.equal(first.sha256After, await fileSha256(at('1.zkey')));
    assert.match(alice.text, /Contribution of "Alice"[^]*Contribution hash\n(?: {4}(?:[0-9a-f]{8} ?){4}\n){4}SHA-256/);
    await rejectsCode(stun(['finalise', at('2.zkey'), ...ground, '--out', at('early.json')]), 'STUN_CEREMONY_INCOMPLETE');

    const beacon = ['--value', '0x0102030405060708', '--iterations-exponent', '10', '--name', 'block 1'];
    await stun(['beacon', at('2.zkey'), ...beacon, '--out', at('final.zkey')]);
    const { document: finished } = await stun(['finalise', at('final.zkey'), ...ground, '--out', at('transcript.json')]);
    const written = await readFile(at('transcript.json'), 'utf8');
    assert.equal((finished as { transcriptHash: string }).transcriptHash, transcriptHashOf(written));

    const verified = await stun(['verify', at('final.zkey'), ...ground, '--transcript', at('transcript.json')]);
    assert.ok(verified.text.includes(transcriptHashOf(written)));
    const { contributions } = (
      verified.document as unknown as { transcript: { contributions: { name: string; hash: string }[] } }
    ).transcript;
    assert.deepEqual(
      contributions.map((one) => one.name),
      ['Alice', 'Bob\u001b[2J', 'block 1'],
    );
    assert.equal(contributions[0]?.hash, first.contributionHash);
    assert.ok(!verified.text.includes('\u001b'), 'names of strangers reach no terminal unquoted');
    assert.ok(lines.some((line) => /^computing the key of the circuit \[#+\.+\] \d+%$/.test(line)));
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes('partial')),
      [],
    );
  });

  it('exports what provers and deployments take, once', async () => {
    const target = ['--r1cs', r1csPath, '--contract', 'SmallCeremonyVerifier', '--jobs', '4', '--out', at('exported')];
    const args = ['export', at('final.zkey'), '--transcript', at('transcript.json'), ...target];
    const { allowed, manifest } = (await stun(args)).document as unknown as {
      allowed: { vkHash: string; transcriptHash: string };
      manifest: { vkHash: string; setup: string; sha256: { zkey: string } };
    };
    const names = ['SmallCeremonyVerifier.sol', 'circuit.zkey', 'manifest.json', 'transcript.json', 'verification-key.json'];
    assert.deepEqual((await readdir(at('exported'))).toSorted(), names);
    const source = await readFile(at('exported/SmallCeremonyVerifier.sol'), 'utf8');
    assert.ok(
      source.includes('DEVELOPMENT = false') && source.includes(`VK_HASH = ${manifest.vkHash};`) && source.includes('N = 4;'),
    );
    assert.equal(manifest.sha256.zkey, await fileSha256(at('final.zkey')));
    assert.deepEqual(allowed, {
      vkHash: manifest.vkHash,
      transcriptHash: transcriptHashOf(await readFile(at('transcript.json'), 'utf8')),
    });
    await rejectsCode(stun(args), 'STUN_FILE');
  });

  it('refuses a tampered transcript, another circuit and another key', async () => {
    const text = await readFile(at('transcript.json'), 'utf8');
    await writeFile(at('renamed.json'), text.replace('"Alice"', '"Carol"'));
    await writeFile(at('spaced.json'), text.replace('"format"', ' "format"'));
    for (const file of ['renamed.json', 'spaced.json']) {
      await rejectsCode(stun(['verify', at('final.zkey'), ...ground, '--transcript', at(file)]), 'STUN_CEREMONY_TRANSCRIPT');
    }
    const named = ['--contract', 'V', '--jobs', '4', '--out', at('other')];
    const transcript = ['--transcript', at('transcript.json')];
    const { r1csPath: other } = await smallCircuit(21);
    await rejectsCode(stun(['export', at('final.zkey'), ...transcript, '--r1cs', other, ...named]), 'STUN_CEREMONY_CIRCUIT');
    await rejectsCode(stun(['export', at('2.zkey'), ...transcript, '--r1cs', r1csPath, ...named]), 'STUN_CEREMONY_TRANSCRIPT');
    const otherGround = ['--r1cs', other, ...ground.slice(2)];
    await rejectsCode(stun(['verify', at('final.zkey'), ...otherGround]), 'STUN_CEREMONY_CIRCUIT');
    await rejectsCode(stun(['verify', at('final.zkey'), '--ptau', ptau]), 'STUN_INPUT');
    await rejectsCode(stun(['beacon', at('1.zkey'), '--value', 'xyz', '--out', at('x.zkey')]), 'STUN_INPUT');
  });

  it('stops without a trace when it is told to', async () => {
    const stopping = new AbortController();
    stopping.abort();
    const args = ['contribute', at('1.zkey'), '--out', at('stopped.zkey')];
    await rejectsCode(stun(args, stopping.signal), 'STUN_CEREMONY_STOPPED');
    assert.ok(!(await readdir(folder)).some((name) => name.startsWith('stopped')));
  });

  it('never prints what the contributor added, and wants it', async () => {
    const args = ['ceremony', 'contribute', at('1.zkey'), '--out', at('child.zkey'), '--name', 'child'];
    const without = await runCli([...args, '--json']);
    assert.equal((JSON.parse(without.stdout) as { error: { code: string } }).error.code, 'STUN_INPUT');
    await writeFile(at('entropy'), ENTROPY);
    const run = await runCli(args, { STUN_CEREMONY_ENTROPY_FILE: at('entropy') });
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stdout, /Contribution hash/);
    assert.ok(!(run.stdout + run.stderr).includes(ENTROPY));
    assert.ok(!(await readFile(at('child.zkey'))).includes(ENTROPY));
  });
});
