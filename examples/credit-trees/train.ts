/**
 * Trains gradient-boosted trees on the applicants of the credit model and writes credit-trees.onnx and report.json beside itself.
 * `node examples/credit-trees/train.ts` writes; with `--check` it compares with the committed files and writes nothing.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { floatValues } from '#circuits/model/float/float-model.ts';
import { understand } from '#circuits/model/float/understand.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import { treeEnsemble } from '#circuits/model/onnx/tree-ensemble.ts';
import { writeOnnx } from '#circuits/model/onnx/write-onnx.ts';
import { accuracyOf, quantise } from '#circuits/model/quantise/quantise.ts';
import { FEATURES, LABEL_NOISE, makeRows } from '../credit-model/data.ts';
import { boost, type BoostedTree, type BoostingOptions } from './boosting.ts';

const TRAINING_ROWS = 40_000;
const UNSEEN_ROWS = 5_000;
const SEEDS = { training: 20_261_121, unseen: 77_003 };
const options: BoostingOptions = { trees: 100, depth: 6, learningRate: 0.12, bins: 64, lambda: 1, minimumWeight: 4 };
/** The baseline beside it: the same with splits on one feature at a time, so no interactions. */
const stumps: BoostingOptions = { ...options, depth: 1, trees: 300 };

function modelBytes(trees: readonly BoostedTree[]): Uint8Array {
  return writeOnnx({
    name: 'credit-trees',
    nodes: [treeEnsemble(trees, 1, 'LOGISTIC', { input: 'features', output: 'default_probability' })],
    inputs: [{ name: 'features', type: 'float32', dims: ['rows', FEATURES.length] }],
    outputs: [{ name: 'default_probability', type: 'float32', dims: ['rows', 1] }],
  });
}

/** All files by name. The same on every run. */
function trainCreditTrees(): Map<string, Uint8Array> {
  const rows = makeRows(TRAINING_ROWS, SEEDS.training);
  const unseen = makeRows(UNSEEN_ROWS, SEEDS.unseen);
  const [features, labels] = [rows.map((row) => row.features), rows.map((row) => row.label)];
  const bytes = modelBytes(boost(features, labels, options));
  const model = understand(readOnnx(bytes));
  const compiled = accuracyOf(
    model,
    quantise(model, [], 8),
    { features: unseen.map((row) => row.features), labels: unseen.map((row) => row.label) },
    0,
  );
  const baseline = understand(readOnnx(modelBytes(boost(features, labels, stumps))));
  const right = unseen.filter((row) => Number(floatValues(baseline, row.features).at(-1)![0]! > 0) === row.label).length;
  const report = {
    unseenRows: UNSEEN_ROWS,
    accuracyUnseen: compiled.floatModel,
    accuracyUnseenCompiled: compiled.compiledModel,
    rowsWhereTheyDisagree: compiled.disagreements.length,
    accuracyUnseenWithoutInteractions: right / unseen.length,
    ceilingExpected: 1 - LABEL_NOISE,
    trainingRows: TRAINING_ROWS,
    seeds: SEEDS,
    boosting: options,
    baseline: stumps,
    modelBytes: bytes.length,
  };
  return new Map([
    ['credit-trees.onnx', bytes],
    ['report.json', new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`)],
  ]);
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const stale: string[] = [];
  for (const [name, bytes] of trainCreditTrees()) {
    const path = join(import.meta.dirname, name);
    if (!check) await writeFile(path, bytes);
    else if (!Buffer.from(bytes).equals(await readFile(path))) stale.push(name);
  }
  if (stale.length > 0) throw new Error(`stale: ${stale.join(', ')}; run node examples/credit-trees/train.ts`);
  console.log(`2 files ${check ? 'are fresh' : 'written'}`);
}
