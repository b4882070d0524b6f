/**
 * Holds what was understood of a model's file to the file itself: onnxruntime runs the file, and every output it gives has to be the one that
 * the float model gives. An operator that was read wrongly does not get past this where a row shows it.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { StunError } from '#protocol/errors/stun-error.ts';
import { classOf, floatValues, thresholdsOf, type Ensemble, type FloatModel, type SourceOutput } from './float/float-model.ts';

/** What float32 may cost, of one more than the greatest score; of a probability at most as much of 1. */
const TOLERANCE = 1e-4;
const PROBABILITY_TOLERANCE = 1e-3;

/** Rows that are made for an ensemble. */
const SPLIT_ROWS = 64;

function refuse(reason: string, cause?: unknown): never {
  throw new StunError('STUN_MODEL_MISREAD', reason, cause === undefined ? {} : { cause });
}

/** The next greater float32. */
function above(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  if (value === 0) return 2 ** -149;
  view.setInt32(0, view.getInt32(0) + (value > 0 ? 1 : -1));
  return view.getFloat32(0);
}

/** Rows at which an ensemble's splits decide: features at thresholds of theirs, and the next float above. */
function splitRows(features: number, { trees }: Ensemble): number[][] {
  const thresholds = thresholdsOf(trees, features).map((of) => [...of]);
  return Array.from({ length: SPLIT_ROWS }, (_, row) =>
    thresholds.map((of, feature) => {
      const threshold = of[(row * 7 + feature * 3) % Math.max(of.length, 1)] ?? 0;
      return (row + feature) % 2 === 0 ? threshold : above(threshold);
    }),
  );
}

const logistic = (score: number): number => 1 / (1 + Math.exp(-score));

function softmax(scores: readonly number[]): number[] {
  const greatest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - greatest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The class that an output names. */
function namedClass(model: FloatModel, holds: SourceOutput['holds'], given: unknown): number {
  return holds === 'index' ? Number(given) : model.classLabels.findIndex((label) => String(label) === String(given));
}

/** Whether a class may win: another runtime rounds otherwise, so that scores which are next to equal may change places. */
function mayWin(model: FloatModel, scores: readonly number[], index: number, tolerance: number): boolean {
  if (index === classOf(model.reading, scores)) return true;
  if (model.reading === 'binary') return (index === 0 || index === 1) && Math.abs(scores[0]!) <= tolerance;
  return (scores[index] ?? Number.NEGATIVE_INFINITY) >= Math.max(...scores) - 2 * tolerance;
}

/** Numbers of an output for one row. One score has a column of its own, or stands behind that of the other class. */
function numbersOf(model: FloatModel, data: ArrayLike<unknown>, rows: number): number[] {
  const given = Array.from({ length: data.length / rows }, (_, i) => Number(data[i]));
  return model.reading === 'binary' && given.length === 2 ? given.slice(1) : given;
}

function agrees(
  model: FloatModel,
  holds: SourceOutput['holds'],
  scores: readonly number[],
  { data }: Tensor,
  rows: number,
  tolerance: number,
): boolean {
  const list = data as ArrayLike<unknown>;
  if (holds === 'index' || holds === 'label') return mayWin(model, scores, namedClass(model, holds, list[0]), tolerance);
  const wanted = holds === 'scores' ? scores : holds === 'sigmoid' ? scores.map(logistic) : softmax(scores);
  const most = holds === 'scores' ? tolerance : Math.min(tolerance, PROBABILITY_TOLERANCE);
  const given = numbersOf(model, list, rows);
  return given.length === wanted.length && given.every((value, k) => Math.abs(value - wanted[k]!) <= most);
}

/** The file in onnxruntime. Its operators are known by now: nothing of it but what was understood is run. */
async function load(source: Uint8Array): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(source, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
  } catch (cause) {
    return refuse(`onnxruntime cannot load the model that was understood: ${String(cause).slice(0, 200)}`, cause);
  }
}

/**
 * Runs the file beside the float model. Does not look at anything that no row shows.
 * @param source - of `model`
 * @param batch - rows that the file takes at once; null where it takes any number
 * @param rows - raw features; an ensemble's own splits are added to them
 * @returns how many rows were compared
 * @throws `STUN_MODEL_MISREAD` naming row and output
 */
export async function assertSourceAgrees(
  source: Uint8Array,
  model: FloatModel,
  batch: number | null,
  rows: readonly (readonly number[])[],
): Promise<number> {
  const [first] = model.layers;
  const compared = (first?.kind === 'ensemble' ? [...rows, ...splitRows(model.features, first)] : rows).map((row) =>
    row.map(Math.fround),
  );
  const all = compared.map((row) => floatValues(model, row).at(-1)!);
  const tolerance = TOLERANCE * (1 + all.reduce((so, scores) => Math.max(so, ...scores.map(Math.abs)), 0));
  const session = await load(source);
  const count = batch ?? 1;
  try {
    for (const [i, row] of compared.entries()) {
      const data = Float32Array.from({ length: count * row.length }, (_, k) => row[k % row.length]!);
      const given = await session
        .run({ [model.inputName]: new Tensor('float32', data, [count, ...model.inputShape]) })
        .catch((cause: unknown) => refuse(`onnxruntime cannot run the model on row ${i}`, cause));
      for (const { name, holds } of model.outputs)
        if (!agrees(model, holds, all[i]!, given[name]!, count, tolerance))
          refuse(`onnxruntime gives another ${holds} in the output ${name} than what was understood, on row ${i}`);
    }
  } finally {
    await session.release();
  }
  return compared.length;
}
