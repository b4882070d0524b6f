/** Static bounds of every element of every value, from the weights alone: what keeps 32-bit arithmetic and field arithmetic from wrapping. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { bitsFor } from '../constraints/gadgets/range.ts';
import { roundingHalf, type Bounds } from '../constraints/gadgets/requantise.ts';
import type { Tree } from '../constraints/gadgets/trees.ts';
import { isLinear, readBy, rowsOf, type LinearMap } from '../linear-map.ts';
import { windowsOf } from '../sliding.ts';
import type { IntegerProgram, Operation } from './program.ts';

/** Accumulators, rounding halves included, stay within 32 bits: the worker's kernels compute in them. */
const LIMIT = (1n << 31n) - 1n;

/** Sums of leaves stay below this, so that floats hold and add them exactly. */
const EXACT_FLOAT = 1n << 24n;

function boundsOfTree(tree: Tree, score: number): Bounds {
  if ('leaf' in tree) return { low: BigInt(tree.leaf[score]!), high: BigInt(tree.leaf[score]!) };
  const [below, above] = [boundsOfTree(tree.below, score), boundsOfTree(tree.above, score)];
  return { low: below.low < above.low ? below.low : above.low, high: below.high > above.high ? below.high : above.high };
}

function sum(parts: readonly Bounds[], bias: bigint): Bounds {
  return parts.reduce((so, part) => ({ low: so.low + part.low, high: so.high + part.high }), { low: bias, high: bias });
}

function scaled({ low, high }: Bounds, weight: bigint): Bounds {
  return weight >= 0n ? { low: weight * low, high: weight * high } : { low: weight * high, high: weight * low };
}

function greatest(parts: readonly Bounds[]): Bounds {
  return parts.reduce((so, part) => ({
    low: part.low > so.low ? part.low : so.low,
    high: part.high > so.high ? part.high : so.high,
  }));
}

/** The value of a requantised accumulator; monotone, so it maps bounds to bounds. */
export function requantised(value: bigint, shift: number, maximum: bigint): bigint {
  const activation = value + roundingHalf(shift) < 0n ? 0n : (value + roundingHalf(shift)) >> BigInt(shift);
  return activation > maximum ? maximum : activation;
}

function magnitude({ low, high }: Bounds): bigint {
  return high > -low ? high : -low;
}

/** Partial sums of a row, in any order, stay within the sums of absolute values: a kernel may add in whatever order it likes. */
function assertAccumulator(reach: bigint, operation: number, element: number): void {
  if (reach > LIMIT)
    throw new StunError(
      'STUN_MODEL_BOUNDS',
      `element ${element} of operation ${operation} may reach ${reach} in absolute value, beyond 32 bits`,
    );
}

/** Greatest absolute value of a leaf. */
function reachOf(tree: Tree): number {
  return 'leaf' in tree
    ? tree.leaf.reduce((so, value) => Math.max(so, Math.abs(value)), 0)
    : Math.max(reachOf(tree.below), reachOf(tree.above));
}

/** Bounds of what a step that is not linear gives. */
function boundsOf(operation: Exclude<Operation, LinearMap>, values: readonly (readonly Bounds[])[]): Bounds[] {
  switch (operation.kind) {
    case 'requantise':
      return values[operation.of]!.map(({ low, high }, i) => {
        const shift = operation.shifts[i]!;
        const maximum = BigInt(operation.maximum);
        return { low: requantised(low, shift, maximum), high: requantised(high, shift, maximum) };
      });
    case 'window-max':
      return windowsOf(operation.sliding).map((window) => greatest(window.map((place) => values[operation.of]![place]!)));
    case 'trees':
      return operation.biases.map((bias, score) =>
        sum(
          operation.trees.map((tree) => boundsOfTree(tree, score)),
          BigInt(bias),
        ),
      );
    case 'first-max':
      return [{ low: 0n, high: BigInt(values[operation.of]!.length - 1) }];
    case 'concatenate':
      return operation.of.flatMap((value) => values[value]!);
  }
}

/** An element as a sum over elements that no linear step gives. */
interface Form {
  readonly constant: number;
  /** Weights by the bounds of what they weigh, one object for each element. */
  readonly terms: ReadonlyMap<Bounds, number>;
}

/**
 * A product or sum that doubles hold exactly. Every step by itself stays within 32 bits, but weights multiply from step to step without
 * limit where what they weigh cancels or is always 0.
 */
function exact(value: number): number {
  if (!Number.isSafeInteger(value))
    throw new StunError('STUN_MODEL_BOUNDS', 'the weights of linear steps that follow each other multiply beyond 53 bits');
  return value;
}

/** Linear steps that follow each other, seen as one: what cancels between them does not widen the bounds. */
class Forms {
  readonly #values: readonly (readonly Bounds[])[];
  /** Forms of linear values, by their number. */
  readonly #forms = new Map<number, readonly Form[]>();

  constructor(values: readonly (readonly Bounds[])[]) {
    this.#values = values;
  }

  /** Bounds of the next value, a linear one. */
  follow(operation: LinearMap): Bounds[] {
    const forms = this.#formsOf(operation);
    this.#forms.set(this.#values.length, forms);
    return forms.map(({ constant, terms }) =>
      sum(
        Array.from(terms, ([bounds, weight]) => scaled(bounds, BigInt(weight))),
        BigInt(constant),
      ),
    );
  }

  #formsOf(operation: LinearMap): Form[] {
    const sources = (typeof operation.of === 'number' ? [operation.of] : operation.of).flatMap((value) => this.#source(value));
    return rowsOf(operation, sources.length).map((row) => {
      let { constant } = row;
      const terms = new Map<Bounds, number>();
      for (const [k, place] of row.places.entries()) {
        const [source, factor] = [sources[place]!, row.weights[k]!];
        constant = exact(constant + exact(factor * source.constant));
        for (const [bounds, weight] of source.terms) terms.set(bounds, exact((terms.get(bounds) ?? 0) + exact(factor * weight)));
      }
      return { constant, terms };
    });
  }

  #source(value: number): readonly Form[] {
    return this.#forms.get(value) ?? this.#values[value]!.map((bounds) => ({ constant: 0, terms: new Map([[bounds, 1]]) }));
  }
}

/** The greatest absolute value that an accumulator may pass through on the way to each element; none for steps that only choose. */
function reachesOf(operation: Operation, values: readonly (readonly Bounds[])[]): bigint[] {
  if (isLinear(operation)) {
    const from = readBy(operation, values);
    return rowsOf(operation, from.length).map(({ places, weights, constantReach }) =>
      places.reduce((so, place, k) => so + magnitude(scaled(from[place]!, BigInt(weights[k]!))), BigInt(constantReach)),
    );
  }
  switch (operation.kind) {
    case 'requantise':
      return values[operation.of]!.map(({ low, high }, i) => magnitude({ low, high: high + roundingHalf(operation.shifts[i]!) }));
    case 'trees': {
      const total = operation.trees.reduce((sum, tree) => sum + BigInt(reachOf(tree)), 0n);
      if (total >= EXACT_FLOAT)
        throw new StunError('STUN_MODEL_BOUNDS', `sums of leaves may reach ${total}, beyond the 2^24 that floats add exactly`);
      return operation.biases.map((bias) => total + BigInt(Math.abs(bias)));
    }
    default:
      return [];
  }
}

/** What is known of a program's arithmetic. */
interface Known {
  readonly bounds: readonly (readonly Bounds[])[];
  /** For each operation, as {@link reachesOf}. */
  readonly reaches: readonly (readonly bigint[])[];
}

/** Programs are never changed, so this is derived once for each. */
const derived = new WeakMap<IntegerProgram, Known>();

function knownOf(program: IntegerProgram): Known {
  const before = derived.get(program);
  if (before !== undefined) return before;
  const bounds: Bounds[][] = [program.input.maxima.map((maximum) => ({ low: 0n, high: BigInt(maximum) }))];
  const forms = new Forms(bounds);
  const reaches = program.operations.map((operation, index) => {
    const own = reachesOf(operation, bounds);
    for (const [i, reach] of own.entries()) assertAccumulator(reach, index, i);
    bounds.push(isLinear(operation) ? forms.follow(operation) : boundsOf(operation, bounds));
    return own;
  });
  const known = { bounds, reaches };
  derived.set(program, known);
  return known;
}

/**
 * Bounds of all values, the input first, then one entry for each operation.
 * @throws `STUN_MODEL_BOUNDS` when an accumulator or a partial sum of one may leave 32 bits, or a sum of leaves the 24 bits of a float
 */
export function programBounds(program: IntegerProgram): readonly (readonly Bounds[])[] {
  return knownOf(program).bounds;
}

/** How much of its 32 bits an operation's widest accumulator takes. */
export interface AccumulatorWidth {
  /** Counted from 0. */
  readonly operation: number;
  readonly kind: Operation['kind'];
  /** Sign included, 1..32: of the greatest absolute value that any partial sum may reach, in any order, a rounding half included. */
  readonly bits: number;
}

/** The widest accumulator of each operation that adds. @throws `STUN_MODEL_BOUNDS` as {@link programBounds} */
export function accumulatorWidths(program: IntegerProgram): AccumulatorWidth[] {
  return knownOf(program).reaches.flatMap((reaches, operation) => {
    if (reaches.length === 0) return [];
    const widest = reaches.reduce((so, reach) => (reach > so ? reach : so));
    return [{ operation, kind: program.operations[operation]!.kind, bits: 1 + bitsFor(widest) }];
  });
}
