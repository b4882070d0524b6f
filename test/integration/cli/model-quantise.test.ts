/** `stun model quantise`: raw rows become exactly the inputs that the model's own quantisers give, in the form that `stun submit` reads. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTensorFile } from '#cli/commands/tensor-files.ts';
import { quantiseRow } from '#circuits/model/quantise/quantiser.ts';
import { exitCodeOf, type ErrorCode } from '#protocol/index.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';
import { runCli } from './run-cli.ts';

const ROWS = [
  [-2, 0.25, 1.5, 9],
  [1, -9, 0, 0.75],
];

describe('cli: rows as inputs of a compiled model', function () {
  this.timeout(120_000);
  let folder: string;
  let directory: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-quantise-'));
    ({ directory } = await compiledFixture());
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function quantise(csv: string, code?: ErrorCode): Promise<string> {
    const [rows, out] = [join(folder, 'rows.csv'), join(folder, 'inputs.json')];
    await rm(out, { force: true });
    await writeFile(rows, csv);
    const run = await runCli(['model', 'quantise', directory, '--rows', rows, '--label', 'good', '--out', out, '--json'], {
      STUN_HOME: folder,
    });
    assert.equal(run.exitCode, code === undefined ? 0 : exitCodeOf(code), run.stderr);
    if (code !== undefined) assert.ok((run.stdout + run.stderr).includes(code), run.stderr);
    return out;
  }

  it('gives what the quantisers give, a job for each row, for its owner alone', async () => {
    const { quantisers, model } = await compiledFixture();
    const out = await quantise(['a,b,good,c,d', ...ROWS.map(([a, b, c, d]) => `${a},${b},1,${c},${d}`)].join('\n'));
    const jobs = await readTensorFile(out);
    assert.deepEqual(
      jobs.map((tensors) => tensors.map(({ name, dtype, dims, data }) => [name, dtype, dims, [...data]])),
      ROWS.map((row) => [[model.input.name, model.input.dtype, model.input.dims, quantiseRow(quantisers, row)]]),
    );
    assert.equal((await stat(out)).mode & 0o777, 0o600);
  });

  it('refuses a file without rows, of another width, or with something that is no number, and writes nothing', async () => {
    for (const csv of ['a,b,good,c,d\n', 'a,b,good,c\n1,2,0,3\n', 'a,b,good,c,d\n1,2,0,x,4\n']) {
      const out = await quantise(csv, 'STUN_MODEL_CALIBRATION');
      await assert.rejects(stat(out), { code: 'ENOENT' });
    }
  });
});
