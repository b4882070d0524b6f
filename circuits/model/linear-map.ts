/**
 * Linear steps, which float models and integer programs have in common, and each as rows: what bounds, interpreter and constraints read, so
 * that none of them has to know what a convolution is.
 */
import { OUTSIDE, tapsOf, windowsOf, type Sliding } from './sliding.ts';

/** One linear step over flat vectors; `of` names the values that it reads. */
export type LinearMap =
  /** y_o = bias_o + Σ weight_o,i · x_i; one row of weights for each output. */
  | {
      readonly kind: 'affine';
      readonly of: number;
      readonly weights: readonly (readonly number[])[];
      readonly biases: readonly number[];
    }
  /**
   * A cross-correlation. Output channels and input channels are cut into `groups` runs, each output channel reads its own run;
   * weights are [output channels][input channels of a group × rows × columns].
   */
  | {
      readonly kind: 'convolve';
      readonly of: number;
      readonly sliding: Sliding;
      readonly groups: number;
      readonly weights: readonly (readonly number[])[];
      readonly biases: readonly number[];
      /** What stands in the padding, one value for each input channel. */
      readonly padding: readonly number[];
    }
  /** y_i = factor_i · x_i + bias_i. */
  | { readonly kind: 'scale'; readonly of: number; readonly factors: readonly number[]; readonly biases: readonly number[] }
  /** Sums of windows in each channel; padding adds nothing. */
  | { readonly kind: 'window-sum'; readonly of: number; readonly sliding: Sliding }
  /** y_i = x_order_i. */
  | { readonly kind: 'rearrange'; readonly of: number; readonly order: readonly number[] }
  /** Elements of two values of one size, added. */
  | { readonly kind: 'add'; readonly of: readonly [number, number] };

/** y = constant + Σ weight · x. */
export interface LinearRow {
  readonly constant: number;
  /** Sum of the absolute values of everything that the constant is made of. */
  readonly constantReach: number;
  /** Places in the value read; for `add`, the second value follows the first. */
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

const row = (
  places: readonly number[],
  weights: readonly number[],
  constant = 0,
  constantReach = Math.abs(constant),
): LinearRow => ({
  places,
  weights,
  constant,
  constantReach,
});

function convolved(map: Extract<LinearMap, { kind: 'convolve' }>): LinearRow[] {
  const { sliding, groups, weights, biases, padding } = map;
  const [plane, taps] = [sliding.height * sliding.width, tapsOf(sliding)];
  const channels = sliding.channels / groups;
  return weights.flatMap((kernel, o) => {
    const first = Math.floor((o * groups) / weights.length) * channels;
    return taps.map((window) => {
      const [places, used]: [number[], number[]] = [[], []];
      let [constant, reach] = [biases[o]!, Math.abs(biases[o]!)];
      for (const [k, weight] of kernel.entries()) {
        const channel = first + Math.floor(k / window.length);
        const tap = window[k % window.length]!;
        if (weight === 0) continue;
        if (tap === OUTSIDE) {
          constant += weight * padding[channel]!;
          reach += Math.abs(weight * padding[channel]!);
        } else {
          places.push(channel * plane + tap);
          used.push(weight);
        }
      }
      return row(places, used, constant, reach);
    });
  });
}

function derive(map: LinearMap, width: number): LinearRow[] {
  switch (map.kind) {
    case 'affine': {
      const places = Array.from({ length: width }, (_, i) => i);
      return map.weights.map((weights, o) => row(places, weights, map.biases[o]));
    }
    case 'convolve':
      return convolved(map);
    case 'scale':
      return map.factors.map((factor, i) => row([i], [factor], map.biases[i]));
    case 'window-sum':
      return windowsOf(map.sliding).map((window) => row(window, new Array<number>(window.length).fill(1)));
    case 'rearrange':
      return map.order.map((place) => row([place], [1]));
    case 'add':
      return Array.from({ length: width / 2 }, (_, i) => row([i, width / 2 + i], [1, 1]));
  }
}

const kinds = new Set<string>(['affine', 'convolve', 'scale', 'window-sum', 'rearrange', 'add']);

/** Whether a step is linear. */
export function isLinear<T extends { readonly kind: string }>(step: T): step is Extract<T, LinearMap> {
  return kinds.has(step.kind);
}

/** Steps are never changed, so their rows are derived once. */
const derived = new WeakMap<LinearMap, readonly LinearRow[]>();

/** The rows of a step. @param width - elements that it reads, those of both values for `add` */
export function rowsOf(map: LinearMap, width: number): readonly LinearRow[] {
  let rows = derived.get(map);
  if (rows === undefined) derived.set(map, (rows = derive(map, width)));
  return rows;
}

/** What a step reads, laid end to end. */
export function readBy<T>(map: LinearMap, values: readonly (readonly T[])[]): readonly T[] {
  return typeof map.of === 'number' ? values[map.of]! : map.of.flatMap((value) => values[value]!);
}

/** Applies a step to numbers. */
export function applyLinear(map: LinearMap, values: readonly (readonly number[])[]): number[] {
  const from = readBy(map, values);
  return rowsOf(map, from.length).map(({ constant, places, weights }) => {
    let sum = constant;
    for (let k = 0; k < places.length; k++) sum += weights[k]! * from[places[k]!]!;
    return sum;
  });
}
