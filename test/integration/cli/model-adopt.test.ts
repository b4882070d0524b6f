/** `stun model adopt-key`: from the ceremony of a compiled model to a folder that workers, coordinators and customers take. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandResult } from '#cli/command.ts';
import { buildProgram } from '#cli/program.ts';
import { Runner } from '#cli/runner.ts';
import { verifyFinished } from '#circuits/ceremony/ceremony.ts';
import { MODEL_FILES, readCompiledFolder } from '#circuits/model/folder.ts';
import { identityOf, manifestWithKey } from '#circuits/model/manifest.ts';
import { fieldToHex, toHex, transcriptHashOf, transcriptText, type ErrorCode } from '#protocol/index.ts';
import { readCompiledModel } from '#worker/model/compiled.ts';
import { ceremonyOf, type FinishedCeremony } from '#test/circuits/adopted-model.ts';
import { smallCircuit } from '#test/circuits/ceremony-fixture.ts';
import { depth } from '#test/depth.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';

type Compiled = Awaited<ReturnType<typeof compiledFixture>>;

describe('stun model adopt-key', function () {
  this.timeout(240_000);
  let folder: string;
  let compiled: Compiled;
  let held: FinishedCeremony;
  let ground: readonly string[];
  let adopted: CommandResult;
  const at = (name: string): string => join(folder, name);

  async function stun(args: readonly string[], signal = new AbortController().signal): Promise<CommandResult> {
    const runner = new Runner({ progress: () => {}, signal });
    await buildProgram(runner).parseAsync([...args], { from: 'user' });
    assert.ok(runner.result !== undefined && runner.result.exitCode === 0);
    return runner.result;
  }
  const adopt = (from: string, key: string, transcript: string, out = at('none'), signal?: AbortSignal) =>
    stun(['model', 'adopt-key', from, key, '--transcript', transcript, ...ground, '--out', out], signal);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-adopt-'));
    compiled = await compiledFixture();
    held = await ceremonyOf(compiled.r1csPath);
    await writeFile(at('table.json'), JSON.stringify(held.ground.table));
    ground = ['--ptau', held.ground.powersPath, '--rehearsal-table', at('table.json')];
    adopted = await adopt(compiled.directory, held.keyPath, held.transcriptPath, at('adopted'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('writes a folder with the key, named by it and by its ceremony', async () => {
    const { model, ceremonyHash, zkeySha256, program } = await readCompiledFolder(at('adopted'));
    const { model: before } = compiled;
    assert.deepEqual([model.setup, before.setup], ['rehearsal', 'development']);
    assert.notEqual(model.modelId, before.modelId);
    assert.notEqual(model.vkHash, before.vkHash);
    assert.deepEqual({ ...model, modelId: 0n, setup: '', vkHash: '' }, { ...before, modelId: 0n, setup: '', vkHash: '' });
    assert.deepEqual(program, compiled.program);
    assert.equal(toHex(ceremonyHash), transcriptHashOf(held.transcript));
    assert.deepEqual((await readdir(at('adopted'))).toSorted(), Object.values(MODEL_FILES).toSorted());
    const document = adopted.document as Record<string, string>;
    assert.deepEqual([document['modelId'], document['setup']], [fieldToHex(model.modelId), 'rehearsal']);
    assert.ok(adopted.text.includes('REHEARSAL KEY'));
    assert.equal(zkeySha256, (JSON.parse(held.transcript) as { key: { zkeySha256: string } }).key.zkeySha256);
    assert.equal((await readCompiledModel(at('adopted'))).modelId, model.modelId);
  });

  it('never replaces a folder, and leaves nothing of one that was not finished', async () => {
    await rejectsCode(adopt(compiled.directory, held.keyPath, held.transcriptPath, at('adopted')), 'STUN_FILE');
    const stopping = AbortSignal.abort();
    await rejectsCode(
      adopt(compiled.directory, held.keyPath, held.transcriptPath, at('none'), stopping),
      'STUN_CEREMONY_STOPPED',
    );
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('none')),
      [],
    );
  });

  it('verifies the constraints that it names, when others take their file in between', async () => {
    const [r1csPath, others] = [at('named.r1cs'), at('others.r1cs')];
    await cp(compiled.r1csPath, r1csPath);
    await writeFile(others, 'others');
    let swapped = false;
    const transcript = await verifyFinished({ ...held.ground, r1csPath }, held.keyPath, () => {
      if (!swapped) renameSync(others, r1csPath);
      swapped = true;
    });
    assert.equal(await readFile(r1csPath, 'utf8'), 'others');
    assert.equal(transcriptText(transcript), held.transcript);
  });

  it('refuses a folder that has a key of a ceremony', async () => {
    await rejectsCode(adopt(at('adopted'), held.keyPath, held.transcriptPath), 'STUN_MODEL_ADOPTED');
  });

  it('refuses the development key, and a key that was not finished', async () => {
    const { directory, zkeyPath } = compiled;
    await rejectsCode(adopt(directory, zkeyPath, held.transcriptPath), 'STUN_CEREMONY_KEY_FORMAT');
    await rejectsCode(adopt(directory, held.openKeyPath, held.transcriptPath), 'STUN_CEREMONY_TRANSCRIPT');
    await rejectsCode(adopt(directory, at('no.zkey'), held.transcriptPath), 'STUN_FILE');
  });

  it('refuses a transcript of an unfinished ceremony', async () => {
    const transcript = JSON.parse(held.transcript) as { contributions: object[] };
    const short = { ...transcript, contributions: transcript.contributions.slice(1) };
    await writeFile(at('short.json'), `${JSON.stringify(short, null, 2)}\n`);
    await rejectsCode(adopt(compiled.directory, held.keyPath, at('short.json')), 'STUN_CEREMONY_INCOMPLETE');
  });

  it('refuses the ceremony of another circuit, be it that of another model', async () => {
    const other = await ceremonyOf((await smallCircuit(20)).r1csPath);
    await rejectsCode(adopt(compiled.directory, other.keyPath, other.transcriptPath), 'STUN_CEREMONY_CIRCUIT');
    await rejectsCode(adopt(compiled.directory, other.keyPath, held.transcriptPath), 'STUN_CEREMONY_TRANSCRIPT');
  });

  if (depth() === 'full') {
    it('ends the road that the document describes', async () => {
      const named = ['--r1cs', compiled.r1csPath, ...ground];
      const made = [0, 1, 2, 3].map((step) => at(`road-${step}.zkey`)) as [string, string, string, string];
      process.env['STUN_CEREMONY_ENTROPY'] = 'dice';
      try {
        await stun(['ceremony', 'start', ...named, '--out', made[0]]);
        await stun(['ceremony', 'contribute', made[0], '--name', 'Alice', '--out', made[1]]);
        await stun(['ceremony', 'contribute', made[1], '--name', 'Bob', '--out', made[2]]);
      } finally {
        delete process.env['STUN_CEREMONY_ENTROPY'];
      }
      const beacon = ['--value', '0x0102', '--iterations-exponent', '10', '--name', 'block 1', '--out', made[3]];
      await stun(['ceremony', 'beacon', made[2], ...beacon]);
      await stun(['ceremony', 'finalise', made[3], ...named, '--out', at('road.json')]);
      await adopt(compiled.directory, made[3], at('road.json'), at('road'));
      const { model, zkeyPath, r1csPath } = await readCompiledFolder(at('road'));
      const key = [zkeyPath, '--r1cs', r1csPath, ...ground, '--transcript', join(at('road'), MODEL_FILES.transcript)];
      assert.equal((await stun(['ceremony', 'verify', ...key])).exitCode, 0);
      assert.notEqual(
        model.modelId,
        (await readCompiledFolder(at('adopted'))).model.modelId,
        'another ceremony is another model',
      );
    });
  }

  // Seen only by verifying the ceremony whole, which takes seconds each time.
  const liars: readonly (readonly [
    what: string,
    code: ErrorCode,
    lie: () => Promise<readonly [key: string, transcript: string]>,
  ])[] = [
    [
      'that says something else than the key',
      'STUN_CEREMONY_TRANSCRIPT',
      () => Promise.resolve([held.keyPath, held.transcript.replace('"two"', '"you"')]),
    ],
    [
      'that claims the key of another circuit for this one',
      'STUN_CEREMONY_CIRCUIT',
      async () => {
        const other = await ceremonyOf((await smallCircuit(20)).r1csPath);
        const { key } = JSON.parse(other.transcript) as { key: object };
        return [other.keyPath, `${JSON.stringify({ ...(JSON.parse(held.transcript) as object), key }, null, 2)}\n`];
      },
    ],
  ];
  for (const [what, code, lie] of depth() === 'full' ? liars : []) {
    it(`refuses a transcript ${what}`, async () => {
      const [key, transcript] = await lie();
      await writeFile(at('lie.json'), transcript);
      await rejectsCode(adopt(compiled.directory, key, at('lie.json')), code);
    });
  }

  it('refuses powers of tau that were never published, unless the caller calls it a rehearsal', async () => {
    const args = ['model', 'adopt-key', compiled.directory, held.keyPath, '--transcript', held.transcriptPath];
    const out = ['--ptau', held.ground.powersPath, '--out', at('none')];
    await rejectsCode(stun([...args, ...out]), 'STUN_CEREMONY_PTAU_SIZE');
  });

  /** A copy of a folder with one file changed. */
  async function changed(
    of: string,
    kind: keyof typeof MODEL_FILES,
    change: (text: string) => string | Uint8Array,
  ): Promise<string> {
    const copy = await mkdtemp(at('changed-'));
    await cp(of, copy, { recursive: true });
    const path = join(copy, MODEL_FILES[kind]);
    await writeFile(path, change(await readFile(path, 'latin1')), 'latin1');
    return copy;
  }

  it('refuses a folder whose model or constraints are not what its program gives', async () => {
    for (const kind of ['r1cs', 'model'] as const) {
      const copy = await changed(compiled.directory, kind, (text) => `${text}\0`);
      await rejectsCode(adopt(copy, held.keyPath, held.transcriptPath), 'STUN_MODEL_MANIFEST');
    }
  });

  it('lets nobody read the folder with another transcript, or without one', async () => {
    const renamed = await changed(at('adopted'), 'transcript', (text) => text.replace('"two"', '"you"'));
    await rejectsCode(readCompiledFolder(renamed), 'STUN_MODEL_MANIFEST');
    await rm(join(renamed, MODEL_FILES.transcript));
    await rejectsCode(readCompiledFolder(renamed), 'STUN_FILE');
    const promoted = await changed(at('adopted'), 'manifest', (text) => text.replace('"rehearsal"', '"development"'));
    await rejectsCode(readCompiledFolder(promoted), 'STUN_MODEL_MANIFEST');
  });

  it('lets a rehearsal call itself a ceremony only where its powers are published', async () => {
    const copy = await mkdtemp(at('named-'));
    await cp(at('adopted'), copy, { recursive: true });
    const { manifest, model, ceremonyHash } = await readCompiledFolder(copy);
    const named = manifestWithKey(manifest, { vkHash: model.vkHash, setup: 'ceremony' });
    const identity = identityOf(model.vkHash, named, ceremonyHash, await readFile(join(copy, MODEL_FILES.zkey)));
    await writeFile(join(copy, MODEL_FILES.manifest), named);
    await writeFile(join(copy, MODEL_FILES.identity), JSON.stringify(identity));
    await rejectsCode(readCompiledFolder(copy), 'STUN_CEREMONY_PTAU_DIGEST');
    assert.equal((await readCompiledFolder(copy, held.ground.table)).model.setup, 'ceremony');
  });
});
