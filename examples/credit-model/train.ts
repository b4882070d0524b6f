/**
 * Trains the credit model and writes credit-model.onnx, manifest.json, unseen-rows.csv and report.json beside itself.
 * `node examples/credit-model/train.ts` writes; with `--check` it compares with the committed files and writes nothing.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { columnStatistics, foldAndRound, predict, train, type Layer, type TrainingOptions } from './classifier.ts';
import { FEATURES, LABEL_NOISE, makeRows, rowsToCsv, type Row } from './data.ts';
import { floats, writeOnnx } from '#circuits/model/onnx/write-onnx.ts';

const TRAINING_ROWS = 40_000;
const UNSEEN_ROWS = 5_000;
/** The unseen rows that are shipped, for the demonstration to send as jobs. */
const SHIPPED_ROWS = 256;
const TRAINING_SEED = 20_261_121;
const UNSEEN_SEED = 77_003;

const mlpOptions: TrainingOptions = {
  hidden: [40, 16],
  epochs: 20,
  batchSize: 64,
  learningRate: 0.006,
  weightDecay: 0.015,
  seed: 5,
};
const logisticOptions: TrainingOptions = { hidden: [], epochs: 12, batchSize: 64, learningRate: 0.004, weightDecay: 0, seed: 5 };

function modelBytes(layers: readonly Layer[]): Uint8Array {
  const nodes = layers.flatMap((_, depth) => {
    const last = depth === layers.length - 1;
    const input = depth === 0 ? 'features' : `hidden_${depth}`;
    return [
      { op: 'Gemm', inputs: [input, `weights_${depth}`, `biases_${depth}`], outputs: [`sum_${depth}`] },
      {
        op: last ? 'Sigmoid' : 'Relu',
        inputs: [`sum_${depth}`],
        outputs: [last ? 'default_probability' : `hidden_${depth + 1}`],
      },
    ];
  });
  return writeOnnx({
    name: 'credit-default',
    nodes,
    inputs: [{ name: 'features', type: 'float32', dims: ['rows', FEATURES.length] }],
    outputs: [{ name: 'default_probability', type: 'float32', dims: ['rows', 1] }],
    initializers: layers.flatMap((layer, depth) => [
      floats(`weights_${depth}`, [layer.inputs, layer.outputs], [...layer.weights]),
      floats(`biases_${depth}`, [layer.outputs], [...layer.biases]),
    ]),
  });
}

/** Indented JSON with short lists on one line, as the formatter has it. */
function json(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replaceAll(/\[\s+([^[\]{}]*?)\s+\]/g, (list, items: string) => {
    const line = `[${items.replaceAll(/\s*\n\s*/g, ' ')}]`;
    return line.length < 100 ? line : list;
  });
  return `${text}\n`;
}

function manifestText(): string {
  return json({
    version: 1,
    name: 'credit-default',
    description:
      'Probability that a loan applicant defaults. Trained on made-up applicants: an example, not for decisions about people.',
    inputs: [{ name: 'features', dtype: 'float32', dims: ['rows', FEATURES.length] }],
    outputs: [{ name: 'default_probability', dtype: 'float32', dims: ['rows', 1] }],
    allowNonFiniteInputs: false,
    columns: FEATURES,
  });
}

function accuracy(rows: readonly Row[], probabilityOf: (row: Row) => number): number {
  const right = rows.filter((row) => (probabilityOf(row) > 0.5 ? 1 : 0) === row.label).length;
  return Number((right / rows.length).toFixed(4));
}

/** All files by name. The same on every run. */
function trainCreditModel(): Map<string, Uint8Array> {
  const rows = makeRows(TRAINING_ROWS, TRAINING_SEED);
  const unseen = makeRows(UNSEEN_ROWS, UNSEEN_SEED);
  const { means, deviations } = columnStatistics(rows.map((row) => row.features));
  const inputs = rows.map((row) => Float64Array.from(row.features, (value, c) => (value - means[c]!) / deviations[c]!));
  const labels = rows.map((row) => row.label);
  const mlp = foldAndRound(train(inputs, labels, mlpOptions), means, deviations);
  const logistic = foldAndRound(train(inputs, labels, logisticOptions), means, deviations);
  const of = (layers: readonly Layer[], set: readonly Row[]): number =>
    accuracy(set, (row) => predict(layers, Float64Array.from(row.features)));
  const model = modelBytes(mlp);
  const report = {
    unseenRows: UNSEEN_ROWS,
    accuracyUnseen: of(mlp, unseen),
    accuracyUnseenLinearBaseline: of(logistic, unseen),
    accuracyUnseenMajorityClass: accuracy(unseen, () =>
      labels.filter((label) => label === 1).length * 2 > labels.length ? 1 : 0,
    ),
    ceilingExpected: 1 - LABEL_NOISE,
    ceilingOnTheseRows: Number((unseen.filter((row) => !row.flipped).length / unseen.length).toFixed(4)),
    accuracyTraining: of(mlp, rows),
    trainingRows: TRAINING_ROWS,
    labelNoise: LABEL_NOISE,
    seeds: { training: TRAINING_SEED, unseen: UNSEEN_SEED },
    mlp: mlpOptions,
    linearBaseline: logisticOptions,
    modelBytes: model.length,
  };
  const text = new TextEncoder();
  return new Map([
    ['credit-model.onnx', model],
    ['manifest.json', text.encode(manifestText())],
    ['unseen-rows.csv', text.encode(rowsToCsv(unseen.slice(0, SHIPPED_ROWS)))],
    ['report.json', text.encode(json(report))],
  ]);
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const files = trainCreditModel();
  const stale: string[] = [];
  for (const [name, bytes] of files) {
    const path = join(import.meta.dirname, name);
    if (!check) await writeFile(path, bytes);
    else if (!Buffer.from(bytes).equals(await readFile(path))) stale.push(name);
  }
  if (stale.length > 0) throw new Error(`stale: ${stale.join(', ')}; run node examples/credit-model/train.ts`);
  console.log(`${files.size} files ${check ? 'are fresh' : 'written'}`);
}
