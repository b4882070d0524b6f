/** From a float model to an integer program, and what that costs in accuracy. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { classOf, floatValues, type FloatModel } from '../float/float-model.ts';
import { interpret } from '../program/interpret.ts';
import { quantiseLayers, type Quantised } from './layers.ts';
import { cutOffIn, quantiseRow } from './quantiser.ts';
import { quantiseTrees } from './trees.ts';

/** Rows with what is known of them. */
export interface LabelledRows {
  readonly features: readonly (readonly number[])[];
  /** One for each row, the index of a class or a value; null without labels. */
  readonly labels: readonly number[] | null;
}

/** The float model and the compiled one side by side, on rows that calibration did not see. */
export interface AccuracyStatement {
  readonly heldOutRows: number;
  readonly calibrationRows: number;
  /** `accuracy` of classes against labels, or `meanAbsoluteError` of values; null without labels. */
  readonly metric: 'accuracy' | 'meanAbsoluteError' | null;
  readonly floatModel: number | null;
  readonly compiledModel: number | null;
  /** Rows, counted from 0 among the held-out ones, where the two give another class. */
  readonly disagreements: readonly number[];
  /** Greatest difference of a score. */
  readonly largestScoreError: number;
  /** Values beyond the range of the calibration rows, which the compiled model saw cut off to it. */
  readonly valuesCutOff: number;
  /** Rows with such a value. */
  readonly rowsCutOff: number;
}

/** Rows a model of layers is calibrated with, at least. */
const MIN_ROWS = 8;

/** Classes get their index in front of their scores. */
function withIndex(quantised: Quantised, reading: FloatModel['reading']): Quantised {
  if (reading !== 'classes') return quantised;
  const { program, quantisers } = quantised;
  const scores = program.operations.length;
  return {
    quantisers,
    program: {
      ...program,
      operations: [...program.operations, { kind: 'first-max', of: scores }, { kind: 'concatenate', of: [scores + 1, scores] }],
    },
  };
}

/**
 * Quantises.
 * @param calibration - raw feature rows; ensembles do without
 * @param weightBits - of affine layers, 4 to 16
 * @throws `STUN_MODEL_CALIBRATION` when a model of layers has too few rows or rows of another width; `STUN_MODEL_BOUNDS`
 */
export function quantise(model: FloatModel, calibration: readonly (readonly number[])[], weightBits: number): Quantised {
  const [first] = model.layers;
  if (first?.kind === 'ensemble') return withIndex(quantiseTrees(model, first), model.reading);
  if (calibration.length < MIN_ROWS)
    throw new StunError(
      'STUN_MODEL_CALIBRATION',
      `a model of layers needs at least ${MIN_ROWS} calibration rows, got ${calibration.length}`,
    );
  const wrong = calibration.findIndex((row) => row.length !== model.features);
  if (wrong >= 0)
    throw new StunError(
      'STUN_MODEL_CALIBRATION',
      `row ${wrong} has ${calibration[wrong]!.length} features, the model takes ${model.features}`,
    );
  return withIndex(quantiseLayers(model, calibration, weightBits), model.reading);
}

/** Scores of a compiled model as real numbers, without the class index in front. */
export function realScores(model: FloatModel, { program }: Quantised, output: readonly number[]): number[] {
  return output.slice(model.reading === 'classes' ? 1 : 0).map((score) => score / 2 ** program.outputScale);
}

/** Compares both models on held-out rows. */
export function accuracyOf(
  model: FloatModel,
  quantised: Quantised,
  rows: LabelledRows,
  calibrationRows: number,
): AccuracyStatement {
  const disagreements: number[] = [];
  const [right, errors] = [
    [0, 0],
    [0, 0],
  ];
  let largestScoreError = 0;
  for (const [i, features] of rows.features.entries()) {
    const float = floatValues(model, features).at(-1)!;
    const compiled = realScores(model, quantised, interpret(quantised.program, quantiseRow(quantised.quantisers, features)));
    for (const [k, score] of float.entries()) largestScoreError = Math.max(largestScoreError, Math.abs(score - compiled[k]!));
    const classes = [classOf(model.reading, float), classOf(model.reading, compiled)];
    if (classes[0] !== classes[1]) disagreements.push(i);
    const label = rows.labels?.[i];
    if (label === undefined) continue;
    for (const which of [0, 1] as const) {
      if (classes[which] === label) right[which]!++;
      errors[which]! += Math.abs([float, compiled][which]![0]! - label);
    }
  }
  const { valuesCutOff, rowsCutOff } = cutOffIn(quantised.quantisers, rows.features);
  const count = rows.features.length;
  const metric = rows.labels === null || count === 0 ? null : model.reading === 'values' ? 'meanAbsoluteError' : 'accuracy';
  const measured = (which: 0 | 1): number | null =>
    metric === null ? null : (metric === 'accuracy' ? right : errors)[which]! / count;
  return {
    heldOutRows: count,
    calibrationRows,
    metric,
    floatModel: measured(0),
    compiledModel: measured(1),
    disagreements,
    largestScoreError,
    valuesCutOff,
    rowsCutOff,
  };
}
