/** `stun model quantise`: raw rows become exactly the inputs that the model's own quantisers give, in the form that `stun submit` reads. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTensorFile } from '#cli/commands/tensor-files.ts';
import { quantiseRow, type CutOff } from '#circuits/model/quantise/quantiser.ts';
import { exitCodeOf, type ErrorCode } from '#protocol/index.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';
import { runCli } from './run-cli.ts';

/** Calibrated from -2 on, to 1.5, 0, 1.5 and 1. */
const ROWS = [
  [-2, -0.25, 1.5, 1],
  [1, -1.5, 0, 0.75],
];
const csvOf = (rows: readonly (readonly number[])[]): string =>
  ['a,b,good,c,d', ...rows.map(([a, b, c, d]) => `${a},${b},yes,${c},${d}`)].join('\n');

describe('cli: rows as inputs of a compiled model', function () {
  this.timeout(120_000);
  let folder: string;
  let directory: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-quantise-'));
    ({ directory } = await compiledFixture());
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** @returns the file of inputs and what the command said */
  async function quantise(
    csv: string,
    code?: ErrorCode,
    ...more: readonly string[]
  ): Promise<readonly [out: string, said: string]> {
    const [rows, out] = [join(folder, 'rows.csv'), join(folder, 'inputs.json')];
    await rm(out, { force: true });
    await writeFile(rows, csv);
    const run = await runCli(['model', 'quantise', directory, '--rows', rows, '--label', 'good', '--out', out, ...more], {
      STUN_HOME: folder,
    });
    assert.equal(run.exitCode, code === undefined ? 0 : exitCodeOf(code), run.stderr);
    if (code !== undefined) assert.ok((run.stdout + run.stderr).includes(code), run.stderr);
    return [out, code === undefined ? run.stdout : run.stderr];
  }

  it('gives what the quantisers give, a job for each row, for its owner alone', async () => {
    const { quantisers, model } = await compiledFixture();
    const [out, said] = await quantise(csvOf(ROWS), undefined, '--json');
    assert.partialDeepStrictEqual(JSON.parse(said), { jobs: 2, valuesCutOff: 0, rowsCutOff: 0 });
    const jobs = await readTensorFile(out);
    assert.deepEqual(
      jobs.map((tensors) => tensors.map(({ name, dtype, dims, data }) => [name, dtype, dims, [...data]])),
      ROWS.map((row) => [[model.input.name, model.input.dtype, model.input.dims, quantiseRow(quantisers, row)]]),
    );
    assert.equal((await stat(out)).mode & 0o777, 0o600);
  });

  it('refuses a file without rows, of another width, or with something that is no number, and writes nothing', async () => {
    for (const csv of ['a,b,good,c,d\n', 'a,b,good,c\n1,2,0,3\n', 'a,b,good,c,d\n1,2,0,x,4\n']) {
      const [out] = await quantise(csv, 'STUN_MODEL_CALIBRATION');
      await assert.rejects(stat(out), { code: 'ENOENT' });
    }
  });

  it('refuses a value beyond the calibrated range by row and column, and cuts it off when it is told to, counting', async () => {
    const beyond = csvOf([...ROWS, [-2, 5, 1.5, -2.5], [1, -9, 0, 0]]);
    const [out, refused] = await quantise(beyond, 'STUN_MODEL_INPUT_RANGE');
    assert.match(refused, /row 2, column b is not in the calibrated range of -2 to 0;/);
    await assert.rejects(stat(out), { code: 'ENOENT' });
    const [cut, said] = await quantise(beyond, undefined, '--cut-off');
    assert.match(said, /3 values in 2 rows were cut off/);
    const jobs = await readTensorFile(cut);
    assert.deepEqual([...jobs[2]![0]!.data], [0, 255, 255, 0]);
    const { valuesCutOff, rowsCutOff } = JSON.parse((await quantise(beyond, undefined, '--cut-off', '--json'))[1]) as CutOff;
    assert.deepEqual([valuesCutOff, rowsCutOff], [3, 2]);
  });
});
