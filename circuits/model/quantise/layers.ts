/**
 * Post-training quantisation of networks: activations of 8 bits with a scale from the calibration rows, weights of 8 bits (or as asked) with
 * a power-of-two shift for each neuron or channel, scores at one power-of-two scale.
 */
import { floatValues, type FloatModel, type Layer } from '../float/float-model.ts';
import type { IntegerProgram, Operation } from '../program/program.ts';
import type { FeatureQuantiser } from './quantiser.ts';
import { Regions, shiftOf } from './region.ts';

/** Greatest activation and greatest quantised feature. */
const ACTIVATION_MAXIMUM = 255;

/** What a compiled model is made of. */
export interface Quantised {
  readonly program: IntegerProgram;
  readonly quantisers: readonly FeatureQuantiser[];
}

type AffineQuantiser = Extract<FeatureQuantiser, { kind: 'affine' }>;

/** Range of one column over the calibration rows. A column that never changes tells nothing: it is cut off to its one value. */
function columnQuantiser(values: readonly number[]): AffineQuantiser {
  const [low, high] = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)] as const, [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as const);
  return high > low
    ? { kind: 'affine', low, step: (high - low) / ACTIVATION_MAXIMUM, maximum: ACTIVATION_MAXIMUM }
    : { kind: 'affine', low, step: 1, maximum: 0 };
}

/** One range for all elements of a tensor, which are in one unit; zero is one of its steps, so that padding with zeros is exact. */
function tensorQuantiser(rows: readonly (readonly number[])[]): AffineQuantiser {
  const { low, step, maximum } = columnQuantiser([0, ...rows.flat().map(Math.fround)]);
  return { kind: 'affine', low: Math.round(low / step) * step, step, maximum };
}

function quantisersOf(model: FloatModel, rows: readonly (readonly number[])[]): AffineQuantiser[] {
  if (model.inputShape.length > 1) return new Array<AffineQuantiser>(model.features).fill(tensorQuantiser(rows));
  return Array.from({ length: model.features }, (_, column) => columnQuantiser(rows.map((row) => Math.fround(row[column]!))));
}

/** Greatest value of each step over the calibration rows, what `ACTIVATION_MAXIMUM` will stand for. */
function rangesOf(model: FloatModel, rows: readonly (readonly number[])[]): number[] {
  const ranges = new Array<number>(model.layers.length + 1).fill(0);
  for (const row of rows)
    for (const [i, values] of floatValues(model, row).entries())
      ranges[i] = values.reduce((so, value) => Math.max(so, value), ranges[i]!);
  return ranges;
}

/**
 * Quantises a network.
 * @param rows - calibration rows, raw features
 * @param weightBits - 4 to 16, sign included
 * @throws `STUN_MODEL_BOUNDS` when weights do not fit
 */
export function quantiseLayers(model: FloatModel, rows: readonly (readonly number[])[], weightBits: number): Quantised {
  const layers = model.layers as readonly Layer[];
  const quantisers = quantisersOf(model, rows);
  const ranges = rangesOf(model, rows);
  const operations: Operation[] = [];
  const regions = new Regions(layers, operations, 2 ** (weightBits - 1) - 1);
  regions.border(0, {
    value: 0,
    steps: quantisers.map(({ step, maximum }) => (maximum === 0 ? 0 : step)),
    lows: quantisers.map(({ low }) => low),
  });
  for (const [i, layer] of layers.entries()) {
    if (layer.kind !== 'rectifier') continue;
    const range = ranges[i + 1]!;
    const unit = (range > 0 ? range : 1) / ACTIVATION_MAXIMUM;
    const { value: of, shifts } = regions.region(layer.of, unit, false);
    const width = regions.widthOf(layer.of);
    operations.push({
      kind: 'requantise',
      of,
      shifts: Array.from({ length: width }, (_, element) => shiftOf(shifts, element, width)),
      maximum: ACTIVATION_MAXIMUM,
    });
    const steps = new Array<number>(width).fill(unit);
    regions.border(i + 1, { value: operations.length, steps, lows: steps.map(() => 0) });
  }
  const { value, shifts } = regions.region(layers.length, 1, true);
  return {
    program: {
      input: { name: model.inputName, maxima: quantisers.map(({ maximum }) => maximum), bytesPerElement: 1 },
      operations: operations.slice(0, value),
      outputName: 'scores',
      outputScale: shifts[0]!,
    },
    quantisers,
  };
}
