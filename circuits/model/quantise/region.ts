/**
 * Linear regions: everything between two activations. A region's results share one real unit, and every layer in it gets integer weights in
 * fractions of that unit: unit / 2^shift, the shift as great as the weight bits allow.
 *
 * Sums of windows, orders and uniform factors keep or change the unit and cost no precision; only weights are rounded.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { perChannel } from '../float/builder.ts';
import type { Layer } from '../float/float-model.ts';
import type { LinearMap } from '../linear-map.ts';
import type { Operation } from '../program/program.ts';
import { slidSize, type Sliding } from '../sliding.ts';

/** Shifts beyond this gain nothing: accumulators have 32 bits. */
const MAX_SHIFT = 20;
/** Bits of a factor that brings one activation to the unit of another. */
const FACTOR_BITS = 15;

/** A bias leaves room for the products within 32 bits. */
const BIAS_LIMIT = 2 ** 30;

/** A value of the program, and the real numbers that its integers stand for: step · integer + low. */
export interface Emitted {
  readonly value: number;
  readonly steps: readonly number[];
  readonly lows: readonly number[];
}

/** One shift for all elements, or one for each channel or row. */
type Shifts = readonly number[];

type Affine = Extract<LinearMap, { kind: 'affine' }>;
type Convolve = Extract<LinearMap, { kind: 'convolve' }>;
type Scale = Extract<LinearMap, { kind: 'scale' }>;

function refuse(reason: string): never {
  throw new StunError('STUN_MODEL_BOUNDS', reason);
}

/** The greatest shift at which all numbers of a row, and what is added to them, still fit. */
function shiftFor(row: readonly number[], greatest: number, bias = 0): number {
  const largest = row.reduce((so, value) => Math.max(so, Math.abs(value)), Math.abs(bias) * (greatest / BIAS_LIMIT));
  return largest === 0 ? MAX_SHIFT : Math.min(MAX_SHIFT, Math.floor(Math.log2((greatest + 0.499) / largest)));
}

const round = (value: number): number => Math.round(value) + 0;

/** The shift of one element. */
export function shiftOf(shifts: Shifts, element: number, width: number): number {
  return shifts[Math.floor((element * shifts.length) / width)]!;
}

/** A factor that is the same everywhere, positive and without an offset: a change of unit. */
function unitChange(layer: Scale): number | null {
  const [factor = 0] = layer.factors;
  const uniform = layer.factors.every((one) => one === factor) && layer.biases.every((one) => one === 0);
  return uniform && factor > 0 ? factor : null;
}

/** Turns regions of a float model into operations of a program. */
export class Regions {
  readonly #layers: readonly Layer[];
  readonly #operations: Operation[];
  readonly #greatest: number;
  /** Values between regions, by their number in the float model: the input and activations. */
  readonly #borders = new Map<number, Emitted>();
  readonly #natural = new Map<number, Emitted>();

  /** @param greatest - absolute value of a weight, at most */
  constructor(layers: readonly Layer[], operations: Operation[], greatest: number) {
    this.#layers = layers;
    this.#operations = operations;
    this.#greatest = greatest;
  }

  /** Says what a value at the border of regions became. */
  border(value: number, emitted: Emitted): void {
    this.#borders.set(value, emitted);
  }

  /**
   * Emits the region that ends in `value`, in integers of unit / 2^shift.
   * @param oneShift - whether all elements must have the same shift
   * @returns the program's value and its shifts
   * @throws `STUN_MODEL_BOUNDS` when weights do not fit
   */
  region(value: number, unit: number, oneShift: boolean): { readonly value: number; readonly shifts: Shifts } {
    const fitting = this.#fit(value, unit);
    const shifts = oneShift || !this.#ownShifts(value) ? [Math.min(...fitting)] : fitting;
    const negative = shifts.findIndex((shift) => shift < 0);
    if (negative >= 0) refuse(`the weights of channel ${negative} are too large for its activation: give more weight bits`);
    return { value: this.#emit(value, unit, shifts), shifts };
  }

  #push(operation: Operation): number {
    this.#operations.push(operation);
    return this.#operations.length;
  }

  #layer(value: number): Layer {
    return this.#layers[value - 1]!;
  }

  /** Whether rows or channels may have shifts of their own: between weights and activation stand at most pools. */
  #ownShifts(value: number): boolean {
    if (this.#borders.has(value)) return false;
    const layer = this.#layer(value);
    if (layer.kind === 'scale') {
      const change = unitChange(layer);
      return change === null || this.#ownShifts(layer.of);
    }
    if (layer.kind !== 'window-sum' && layer.kind !== 'window-max') return layer.kind === 'affine' || layer.kind === 'convolve';
    const below = this.#layers[layer.of - 1];
    return (
      below?.kind === 'convolve' || ((below?.kind === 'window-sum' || below?.kind === 'window-max') && this.#ownShifts(layer.of))
    );
  }

  /** A value in whatever unit it comes by itself: what a layer reads whose own weights are still to be rounded. */
  #read(value: number): Emitted {
    const known = this.#borders.get(value) ?? this.#natural.get(value);
    if (known !== undefined) return known;
    const emitted = this.#derive(value);
    this.#natural.set(value, emitted);
    return emitted;
  }

  #derive(value: number): Emitted {
    const layer = this.#layer(value);
    if (typeof layer.of === 'number') {
      const from = this.#read(layer.of);
      const step = from.steps[0] ?? 1;
      const plain = from.lows.every((low) => low === 0) && from.steps.every((one) => one === step);
      const change = layer.kind === 'scale' ? unitChange(layer) : null;
      if (change !== null)
        return { ...from, steps: from.steps.map((one) => one * change), lows: from.lows.map((low) => low * change) };
      if (layer.kind === 'rearrange')
        return {
          value: this.#push({ ...layer, of: from.value }),
          steps: layer.order.map((place) => from.steps[place]!),
          lows: layer.order.map((place) => from.lows[place]!),
        };
      if (plain && (layer.kind === 'window-sum' || layer.kind === 'window-max'))
        return this.#uniform(this.#push({ ...layer, of: from.value }), step, this.widthOf(value));
    }
    const { value: made, shifts } = this.region(value, 1, true);
    return this.#uniform(made, 2 ** -shifts[0]!, this.widthOf(value));
  }

  #uniform(value: number, step: number, width: number): Emitted {
    return { value, steps: new Array<number>(width).fill(step), lows: new Array<number>(width).fill(0) };
  }

  /** Elements of a value of the float model. */
  widthOf(value: number): number {
    const border = this.#borders.get(value);
    if (border !== undefined) return border.steps.length;
    const layer = this.#layer(value);
    switch (layer.kind) {
      case 'affine':
        return layer.weights.length;
      case 'scale':
        return layer.factors.length;
      case 'rearrange':
        return layer.order.length;
      case 'add':
        return this.widthOf(layer.of[0]);
      case 'convolve':
        return layer.weights.length * positions(layer.sliding);
      case 'window-sum':
      case 'window-max':
        return layer.sliding.channels * positions(layer.sliding);
      case 'rectifier':
        return this.widthOf(layer.of);
    }
  }

  /** A dense layer over the integers that it reads. */
  #fedAffine(layer: Affine, { steps, lows }: Emitted): Pick<Affine, 'weights' | 'biases'> {
    return {
      weights: layer.weights.map((row) => row.map((weight, i) => weight * steps[i]!)),
      biases: layer.weights.map((row, o) => row.reduce((sum, weight, i) => sum + weight * lows[i]!, layer.biases[o]!)),
    };
  }

  #fedScale(layer: Scale, { steps, lows }: Emitted): Pick<Affine, 'weights' | 'biases'> {
    return {
      weights: layer.factors.map((factor, i) => [factor * steps[i]!]),
      biases: layer.factors.map((factor, i) => factor * lows[i]! + layer.biases[i]!),
    };
  }

  /** A convolution over the integers that it reads: padding becomes the integer that stands for it. */
  #fedConvolve(layer: Convolve, { steps, lows }: Emitted): Pick<Convolve, 'weights' | 'biases' | 'padding'> {
    const { channels, kernel } = layer.sliding;
    const [step, low] = [perChannel(steps, channels), perChannel(lows, channels)];
    if (step === null || low === null) return refuse('a convolution reads values of different units');
    const taps = kernel[0] * kernel[1];
    const run = channels / layer.groups;
    const channelOf = (o: number, k: number): number =>
      Math.floor((o * layer.groups) / layer.weights.length) * run + Math.floor(k / taps);
    return {
      weights: layer.weights.map((row, o) => row.map((weight, k) => weight * step[channelOf(o, k)]!)),
      biases: layer.weights.map((row, o) =>
        row.reduce((sum, weight, k) => sum + weight * low[channelOf(o, k)]!, layer.biases[o]!),
      ),
      padding: layer.padding.map((value, c) => round((value - low[c]!) / step[c]!)),
    };
  }

  #fit(value: number, unit: number): Shifts {
    const border = this.#borders.get(value);
    if (border !== undefined) return [Math.min(...border.steps.map((step) => shiftFor([step / unit], 2 ** FACTOR_BITS - 1)))];
    const layer = this.#layer(value);
    const shifts = ({ weights, biases }: Pick<Affine, 'weights' | 'biases'>): Shifts =>
      weights.map((row, o) =>
        shiftFor(
          row.map((weight) => weight / unit),
          this.#greatest,
          biases[o]! / unit,
        ),
      );
    switch (layer.kind) {
      case 'affine':
        return shifts(this.#fedAffine(layer, this.#read(layer.of)));
      case 'convolve':
        return shifts(this.#fedConvolve(layer, this.#read(layer.of)));
      case 'scale': {
        const change = unitChange(layer);
        if (change !== null) return this.#fit(layer.of, unit / change);
        return shifts(this.#fedScale(layer, this.#read(layer.of)));
      }
      case 'add':
        return [Math.min(...layer.of.flatMap((one) => this.#fit(one, unit)))];
      case 'rectifier':
        return refuse('an activation stands inside a linear region');
      default:
        return this.#fit(layer.of, unit);
    }
  }

  #emit(value: number, unit: number, shifts: Shifts): number {
    const border = this.#borders.get(value);
    if (border !== undefined) return this.#rescaled(border, unit, shifts);
    const layer = this.#layer(value);
    const factorOf = (o: number, count: number): number => 2 ** shiftOf(shifts, o, count) / unit;
    const rounded = (rows: readonly (readonly number[])[]): number[][] =>
      rows.map((row, o) => row.map((weight) => round(weight * factorOf(o, rows.length))));
    const offsets = (biases: readonly number[]): number[] => biases.map((bias, o) => round(bias * factorOf(o, biases.length)));
    switch (layer.kind) {
      case 'affine': {
        const from = this.#read(layer.of);
        const { weights, biases } = this.#fedAffine(layer, from);
        return this.#push({ kind: 'affine', of: from.value, weights: rounded(weights), biases: offsets(biases) });
      }
      case 'convolve': {
        const from = this.#read(layer.of);
        const { weights, biases, padding } = this.#fedConvolve(layer, from);
        return this.#push({ ...layer, of: from.value, weights: rounded(weights), biases: offsets(biases), padding });
      }
      case 'scale': {
        const change = unitChange(layer);
        if (change !== null) return this.#emit(layer.of, unit / change, shifts);
        const from = this.#read(layer.of);
        const { weights, biases } = this.#fedScale(layer, from);
        return this.#push({ kind: 'scale', of: from.value, factors: rounded(weights).flat(), biases: offsets(biases) });
      }
      case 'add':
        return this.#push({ kind: 'add', of: [this.#emit(layer.of[0], unit, shifts), this.#emit(layer.of[1], unit, shifts)] });
      case 'rectifier':
        return refuse('an activation stands inside a linear region');
      default:
        return this.#push({ ...layer, of: this.#emit(layer.of, unit, shifts) });
    }
  }

  /** An activation brought to the unit of a region. */
  #rescaled({ value, steps, lows }: Emitted, unit: number, shifts: Shifts): number {
    const factor = 2 ** shifts[0]! / unit;
    const factors = steps.map((step) => round(step * factor));
    const biases = lows.map((low) => round(low * factor));
    if (factors.every((one) => one === 1) && biases.every((one) => one === 0)) return value;
    return this.#push({ kind: 'scale', of: value, factors, biases });
  }
}

function positions(sliding: Sliding): number {
  const [rows, columns] = slidSize(sliding);
  return rows * columns;
}
