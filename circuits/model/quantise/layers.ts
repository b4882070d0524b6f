/**
 * Post-training quantisation of affine layers with rectifiers between them: activations of 8 bits with a scale from the calibration rows,
 * weights of 8 bits (or as asked) with a power-of-two shift for each neuron, scores at one power-of-two scale.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { floatValues, type Affine, type FloatModel, type Rectifier } from '../float/float-model.ts';
import type { IntegerProgram, Operation } from '../program/program.ts';
import type { FeatureQuantiser } from './quantiser.ts';

/** Greatest activation and greatest quantised feature. */
const ACTIVATION_MAXIMUM = 255;
/** Shifts beyond this gain nothing: accumulators have 32 bits. */
const MAX_SHIFT = 20;

/** What a compiled model is made of. */
export interface Quantised {
  readonly program: IntegerProgram;
  readonly quantisers: readonly FeatureQuantiser[];
}

/** Range of one column over the calibration rows. */
function featureQuantiser(rows: readonly (readonly number[])[], column: number): FeatureQuantiser {
  const values = rows.map((row) => Math.fround(row[column]!));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  // A column that never changes tells nothing; any step will do.
  return { kind: 'affine', low, step: high > low ? (high - low) / ACTIVATION_MAXIMUM : 1, maximum: ACTIVATION_MAXIMUM };
}

/** The greatest shift at which all weights of a row still fit. */
function shiftFor(row: readonly number[], greatest: number): number {
  const largest = Math.max(...row.map(Math.abs));
  if (largest === 0) return 0;
  return Math.min(MAX_SHIFT, Math.floor(Math.log2((greatest + 0.499) / largest)));
}

function integers(row: readonly number[], factor: number): number[] {
  return row.map((weight) => Math.round(weight * factor) + 0);
}

/** A hidden layer: weights in units of the activation that follows it. */
function hiddenLayer(of: number, { weights, biases }: Affine, scale: number, greatest: number): readonly [Operation, Operation] {
  const rows = weights.map((row) => row.map((weight) => weight / scale));
  const shifts = rows.map((row) => shiftFor(row, greatest));
  const affine: Operation = {
    kind: 'affine',
    of,
    weights: rows.map((row, o) => integers(row, 2 ** shifts[o]!)),
    biases: biases.map((bias, o) => Math.round((bias / scale) * 2 ** shifts[o]!) + 0),
  };
  const negative = shifts.findIndex((shift) => shift < 0);
  if (negative >= 0)
    throw new StunError(
      'STUN_MODEL_BOUNDS',
      `the weights of neuron ${negative} are too large for its activation: give more weight bits`,
    );
  return [affine, { kind: 'requantise', of: of + 1, shifts, maximum: ACTIVATION_MAXIMUM }];
}

/** The last layer: all scores at one scale, so that they can be compared. */
function scoreLayer(of: number, { weights, biases }: Affine, greatest: number): readonly [Operation, number] {
  const shift = Math.min(...weights.map((row) => shiftFor(row, greatest)));
  if (shift < 0) throw new StunError('STUN_MODEL_BOUNDS', 'the weights of the last layer are too large: give more weight bits');
  const factor = 2 ** shift;
  return [{ kind: 'affine', of, weights: weights.map((row) => integers(row, factor)), biases: integers(biases, factor) }, shift];
}

/** The layer as it is when its inputs are integers: weights times their steps, biases with what their lows add. */
function fed({ weights, biases }: Affine, steps: readonly number[], lows: readonly number[]): Affine {
  return {
    kind: 'affine',
    weights: weights.map((row) => row.map((weight, i) => weight * steps[i]!)),
    biases: weights.map((row, o) => row.reduce((sum, weight, i) => sum + weight * lows[i]!, biases[o]!)),
  };
}

/** Greatest activation of each layer over the calibration rows, what `ACTIVATION_MAXIMUM` will stand for. */
function activationRanges(model: FloatModel, rows: readonly (readonly number[])[]): number[] {
  const ranges = new Array<number>(model.layers.length).fill(0);
  for (const row of rows) {
    const values = floatValues(model, row);
    for (const i of ranges.keys()) ranges[i] = Math.max(ranges[i]!, ...values[i + 1]!);
  }
  return ranges;
}

/**
 * Quantises a model of layers.
 * @param rows - calibration rows, raw features
 * @param weightBits - 4 to 16, sign included
 * @throws `STUN_MODEL_BOUNDS` when weights do not fit; `STUN_MODEL_OPERATOR` when rectifiers and layers do not alternate
 */
export function quantiseLayers(model: FloatModel, rows: readonly (readonly number[])[], weightBits: number): Quantised {
  const layers = model.layers as readonly (Affine | Rectifier)[];
  const greatest = 2 ** (weightBits - 1) - 1;
  const quantisers = Array.from({ length: model.features }, (_, column) => featureQuantiser(rows, column));
  const ranges = activationRanges(model, rows);
  const operations: Operation[] = [];
  let steps = quantisers.map((one) => (one.kind === 'affine' ? one.step : 1));
  let lows = quantisers.map((one) => (one.kind === 'affine' ? one.low : 0));
  let outputScale = 0;
  for (const [i, layer] of layers.entries()) {
    if (layer.kind === 'rectifier') {
      if (layers[i - 1]?.kind !== 'affine')
        throw new StunError('STUN_MODEL_OPERATOR', `activation ${i} does not follow an affine layer`);
      continue;
    }
    const fedLayer = fed(layer, steps, lows);
    if (i === layers.length - 1) {
      const [operation, shift] = scoreLayer(operations.length, fedLayer, greatest);
      operations.push(operation);
      outputScale = shift;
      break;
    }
    const range = ranges[i + 1]!;
    const scale = (range > 0 ? range : 1) / ACTIVATION_MAXIMUM;
    operations.push(...hiddenLayer(operations.length, fedLayer, scale, greatest));
    steps = layer.biases.map(() => scale);
    lows = layer.biases.map(() => 0);
  }
  const maxima = quantisers.map(() => ACTIVATION_MAXIMUM);
  return {
    program: { input: { name: model.inputName, maxima, bytesPerElement: 1 }, operations, outputName: 'scores', outputScale },
    quantisers,
  };
}
