/**
 * Collects the steps of a network while its nodes are followed, and merges linear ones where that changes nothing: a scaling into the
 * layer before or after it, a dense layer into the one before it. A step that was merged away stays behind unread and is dropped at the end.
 */
import { isLinear, type LinearMap } from '../linear-map.ts';
import type { Layer } from './float-model.ts';

type Affine = Extract<LinearMap, { kind: 'affine' }>;
type Convolve = Extract<LinearMap, { kind: 'convolve' }>;
type Scale = Extract<LinearMap, { kind: 'scale' }>;

/** The one value of each run of equal length, or null when a run differs in itself. */
export function perChannel(values: readonly number[], channels: number): number[] | null {
  const plane = values.length / channels;
  const first = Array.from({ length: channels }, (_, c) => values[c * plane]!);
  return values.every((value, i) => value === first[Math.floor(i / plane)]) ? first : null;
}

const dot = (row: readonly number[], values: readonly number[]): number =>
  row.reduce((sum, weight, i) => sum + weight * values[i]!, 0);

function affineOfAffine(after: Affine, before: Affine): Affine {
  const columns = before.weights[0]?.length ?? 0;
  const weights = after.weights.map((row) => {
    const merged = new Array<number>(columns).fill(0);
    for (const [k, weight] of row.entries())
      if (weight !== 0) for (let i = 0; i < columns; i++) merged[i]! += weight * before.weights[k]![i]!;
    return merged;
  });
  return {
    kind: 'affine',
    of: before.of,
    weights,
    biases: after.weights.map((row, o) => after.biases[o]! + dot(row, before.biases)),
  };
}

function affineOfScale(after: Affine, before: Scale): Affine {
  const weights = after.weights.map((row) => row.map((weight, i) => weight * before.factors[i]!));
  return {
    kind: 'affine',
    of: before.of,
    weights,
    biases: after.weights.map((row, o) => after.biases[o]! + dot(row, before.biases)),
  };
}

function convolveOfScale(after: Convolve, before: Scale): Convolve | null {
  const { channels } = after.sliding;
  const [factors, offsets] = [perChannel(before.factors, channels), perChannel(before.biases, channels)];
  if (factors === null || offsets === null || factors.includes(0)) return null;
  const taps = after.sliding.kernel[0] * after.sliding.kernel[1];
  const run = channels / after.groups;
  const channelOf = (o: number, k: number): number =>
    Math.floor((o * after.groups) / after.weights.length) * run + Math.floor(k / taps);
  return {
    ...after,
    of: before.of,
    weights: after.weights.map((row, o) => row.map((weight, k) => weight * factors[channelOf(o, k)]!)),
    biases: after.weights.map((row, o) =>
      row.reduce((sum, weight, k) => sum + weight * offsets[channelOf(o, k)]!, after.biases[o]!),
    ),
    // What the padding holds is scaled too, so it must be what becomes the old padding.
    padding: after.padding.map((value, c) => (value - offsets[c]!) / factors[c]!),
  };
}

/** A scaling of what a layer gives, as a layer; null where they stay two. */
function scaled(before: Layer, { factors, biases }: Scale): LinearMap | null {
  switch (before.kind) {
    case 'affine':
      return {
        ...before,
        weights: before.weights.map((row, o) => row.map((weight) => weight * factors[o]!)),
        biases: before.biases.map((bias, o) => bias * factors[o]! + biases[o]!),
      };
    case 'convolve': {
      const channels = before.weights.length;
      const [ofChannel, added] = [perChannel(factors, channels), perChannel(biases, channels)];
      if (ofChannel === null || added === null) return null;
      return {
        ...before,
        weights: before.weights.map((row, o) => row.map((weight) => weight * ofChannel[o]!)),
        biases: before.biases.map((bias, o) => bias * ofChannel[o]! + added[o]!),
      };
    }
    case 'scale':
      return {
        ...before,
        factors: before.factors.map((factor, i) => factor * factors[i]!),
        biases: before.biases.map((bias, i) => bias * factors[i]! + biases[i]!),
      };
    default:
      return null;
  }
}

/** The steps so far. */
export class Builder {
  readonly #layers: Layer[] = [];
  readonly #widths: number[];

  constructor(features: number) {
    this.#widths = [features];
  }

  /** Elements of a value. */
  widthOf(value: number): number {
    return this.#widths[value]!;
  }

  /** The step that gives a value; undefined for the input. */
  layerOf(value: number): Layer | undefined {
    return this.#layers[value - 1];
  }

  /** Adds a step as it is. @returns the value that it gives */
  push(layer: Layer, width: number): number {
    this.#layers.push(layer);
    this.#widths.push(width);
    return this.#layers.length;
  }

  /** Adds a dense layer. */
  affine(layer: Affine): number {
    const before = this.layerOf(layer.of);
    const merged =
      before?.kind === 'affine' ? affineOfAffine(layer, before) : before?.kind === 'scale' ? affineOfScale(layer, before) : layer;
    return this.push(merged, layer.weights.length);
  }

  /** Adds a convolution. */
  convolve(layer: Convolve, width: number): number {
    const before = this.layerOf(layer.of);
    const merged = before?.kind === 'scale' ? convolveOfScale(layer, before) : null;
    return this.push(merged ?? layer, width);
  }

  /** Adds y = factor · x + bias, into the layer before it where that can take it, sums of windows looked through. */
  scale(layer: Scale): number {
    const before = this.layerOf(layer.of);
    const width = this.widthOf(layer.of);
    const merged = before === undefined ? null : scaled(before, layer);
    if (merged !== null) return this.push(merged, width);
    if (before?.kind === 'window-sum') {
      const { sliding } = before;
      const inside = this.layerOf(before.of);
      const [factors, biases] = [perChannel(layer.factors, sliding.channels), perChannel(layer.biases, sliding.channels)];
      const spread = (values: readonly number[]): number[] =>
        values.flatMap((value) => new Array<number>(sliding.height * sliding.width).fill(value));
      const area = sliding.kernel[0] * sliding.kernel[1];
      const whole = sliding.pads.every((pad) => pad === 0);
      if (factors !== null && biases !== null && inside?.kind === 'convolve' && (whole || biases.every((one) => one === 0))) {
        const below = {
          kind: 'scale',
          of: before.of,
          factors: spread(factors),
          biases: spread(biases.map((one) => one / area)),
        } as const;
        return this.push({ ...before, of: this.scale(below) }, width);
      }
    }
    return this.push(layer, width);
  }

  /** Adds a maximum of windows. It commutes with a rectifier before it, and is put first: then fewer values are rectified. */
  windowMax(layer: Extract<Layer, { kind: 'window-max' }>, width: number): number {
    const before = this.layerOf(layer.of);
    if (before?.kind !== 'rectifier') return this.push(layer, width);
    const { ceiling } = before;
    return this.push({ kind: 'rectifier', of: this.push({ ...layer, of: before.of }, width), ceiling }, width);
  }

  /** The steps that `result` hangs on, renumbered; `result` is the value of the last one. */
  finish(result: number): Layer[] {
    const used = new Set([result]);
    // A step reads values made before it, so one pass from the end finds all.
    for (let value = result; value > 0; value--) {
      if (!used.has(value)) continue;
      const { of } = this.layerOf(value)!;
      for (const source of typeof of === 'number' ? [of] : of) used.add(source);
    }
    used.delete(0);
    const order = [...used].toSorted((a, b) => a - b);
    const renumbered = new Map([[0, 0], ...order.map((value, i) => [value, i + 1] as const)]);
    return order.map((value) => {
      const layer = this.layerOf(value)!;
      if (isLinear(layer) && layer.kind === 'add')
        return { ...layer, of: [renumbered.get(layer.of[0])!, renumbered.get(layer.of[1])!] };
      return { ...layer, of: renumbered.get(layer.of)! };
    });
  }
}
