import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { rowsFromCsv } from '../../../examples/credit-model/data.ts';
import { depth, sampleCases } from '#test/depth.ts';

const folder = join(import.meta.dirname, '../../../examples/credit-model');

describe('the credit model', () => {
  // Training takes a third of a minute: a quarter of the samples, and every full run, trains again.
  const trains = depth() === 'full' || sampleCases([true, false, false, false], 1).includes(true);
  if (trains) {
    it('is made again byte for byte by its training script', async function () {
      this.timeout(300_000);
      // In a process of its own: a third of a minute without a pause would starve what other tests left to end by itself.
      const script = join(folder, 'train.ts');
      const { stdout } = await promisify(execFile)(process.execPath, [
        '--disable-warning=ExperimentalWarning',
        script,
        '--check',
      ]);
      assert.equal(stdout.trim(), '4 files are fresh');
    });
  } else console.log('      the credit model is not trained again in this sample');

  it('reports an accuracy that lies between the linear baseline and the ceiling', async () => {
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Record<string, number>;
    assert.ok(report['accuracyUnseen']! > report['accuracyUnseenLinearBaseline']! + 0.1);
    assert.ok(report['accuracyUnseen']! < report['ceilingOnTheseRows']!);
  });

  it('reaches its reported accuracy in onnxruntime on the shipped rows', async () => {
    const rows = rowsFromCsv(await readFile(join(folder, 'unseen-rows.csv'), 'utf8'));
    assert.equal(rows.length, 256);
    const session = await InferenceSession.create(join(folder, 'credit-model.onnx'));
    const features = new Tensor('float32', Float32Array.from(rows.flatMap((row) => row.features)), [rows.length, 20]);
    const { default_probability: output } = await session.run({ features });
    const right = rows.filter((row, i) => (Number(output!.data[i]) > 0.5 ? 1 : 0) === row.label).length;
    // 256 rows have a standard error of 2.2 points; four of them below the reported 86 are 77.
    assert.ok(right / rows.length > 0.77, `${right} of ${rows.length}`);
    await session.release();
  });
});
