/** The demonstration's jobs: unseen rows of the credit model, some rows a job, and how right the answers are. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeInputs } from '#client/index.ts';
import { opaqueModelId, StunError, type NamedTensor } from '#protocol/index.ts';

const FOLDER = new URL('../../examples/credit-model/', import.meta.url);
const file = (name: string): string => fileURLToPath(new URL(name, FOLDER));
const FEATURES = 20;

/** Payload of a job and the labels of its rows. */
export interface CreditJob {
  readonly payload: Uint8Array;
  readonly labels: readonly number[];
}

/** modelId of the example: of the exact bytes of model and manifest. */
export function creditModelId(): bigint {
  return opaqueModelId(readFileSync(file('credit-model.onnx')), readFileSync(file('manifest.json')));
}

/** What training reported about rows it never saw. */
export interface TrainingReport {
  readonly accuracyUnseen: number;
  readonly accuracyUnseenLinearBaseline: number;
  readonly ceilingExpected: number;
  readonly unseenRows: number;
}

/** Reads examples/credit-model/report.json. */
export function trainingReport(): TrainingReport {
  return JSON.parse(readFileSync(file('report.json'), 'utf8')) as TrainingReport;
}

/** Splits the unseen rows into `count` jobs of equal size. */
export function creditJobs(count: number): CreditJob[] {
  const [header, ...lines] = readFileSync(file('unseen-rows.csv'), 'utf8').trim().split('\n');
  const columns = header!.split(',').length;
  const rows = lines.map((line) => line.split(',').map(Number));
  const each = Math.floor(rows.length / count);
  if (columns !== FEATURES + 1 || each === 0) throw new StunError('STUN_FILE', `unseen-rows.csv does not give ${count} jobs`);
  return Array.from({ length: count }, (_, i) => {
    const part = rows.slice(i * each, (i + 1) * each);
    const features = Float32Array.from(part.flatMap((row) => row.slice(0, FEATURES)));
    const data = new Uint8Array(features.buffer);
    return {
      payload: encodeInputs([{ name: 'features', dtype: 'float32', dims: [each, FEATURES], data }]),
      labels: part.map((row) => row[FEATURES]!),
    };
  });
}

/** How many rows of a job were classified as labelled. */
export function correctRows(job: CreditJob, outputs: readonly NamedTensor[]): number {
  const tensor = outputs[0]!;
  const probabilities = new Float32Array(tensor.data.slice().buffer);
  return job.labels.filter((label, row) => (probabilities[row]! >= 0.5 ? 1 : 0) === label).length;
}
