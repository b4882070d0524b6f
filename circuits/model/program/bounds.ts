/** Static bounds of every element of every value, from the weights alone: what keeps 32-bit arithmetic and field arithmetic from wrapping. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { roundingHalf, type Bounds } from '../constraints/gadgets/requantise.ts';
import type { Tree } from '../constraints/gadgets/trees.ts';
import { isLinear, readBy, rowsOf, type LinearMap } from '../linear-map.ts';
import { windowsOf } from '../sliding.ts';
import type { IntegerProgram, Operation } from './program.ts';

/** Accumulators, rounding halves included, stay within 32 bits: the worker's kernels compute in them. */
const LIMIT = (1n << 31n) - 1n;

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

/** Partial sums of a row, in any order, stay within the sums of absolute values: a kernel may add in whatever order it likes. */
function assertAccumulator(bounds: Bounds, operation: number, element: number): void {
  if (bounds.high > LIMIT || -bounds.low > LIMIT) {
    throw new StunError(
      'STUN_MODEL_BOUNDS',
      `element ${element} of operation ${operation} may reach ${bounds.high > LIMIT ? bounds.high : bounds.low}, beyond 32 bits`,
    );
  }
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
 * Linear steps that follow each other, seen as one: what cancels between them does not widen the bounds. Numbers here are sums of products
 * of weights; `assertPartialSums` holds every step by itself within 32 bits, so doubles hold them exactly.
 */
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
        constant += factor * source.constant;
        for (const [bounds, weight] of source.terms) terms.set(bounds, (terms.get(bounds) ?? 0) + factor * weight);
      }
      return { constant, terms };
    });
  }

  #source(value: number): readonly Form[] {
    return this.#forms.get(value) ?? this.#values[value]!.map((bounds) => ({ constant: 0, terms: new Map([[bounds, 1]]) }));
  }
}

/** The largest sum of absolute terms of each linear element, rounding half of the following shift included. */
function assertPartialSums(program: IntegerProgram, values: readonly (readonly Bounds[])[]): void {
  for (const [index, operation] of program.operations.entries()) {
    if (isLinear(operation)) {
      const from = readBy(operation, values);
      for (const [o, { places, weights, constantReach }] of rowsOf(operation, from.length).entries()) {
        const reach = places.reduce((so, place, k) => {
          const { low, high } = scaled(from[place]!, BigInt(weights[k]!));
          return so + (high > -low ? high : -low);
        }, BigInt(constantReach));
        assertAccumulator({ low: -reach, high: reach }, index, o);
      }
    }
    if (operation.kind === 'requantise') {
      for (const [i, { high }] of values[operation.of]!.entries())
        assertAccumulator({ low: 0n, high: high + roundingHalf(operation.shifts[i]!) }, index, i);
    }
  }
}

/**
 * Bounds of all values, the input first, then one entry for each operation.
 * @throws `STUN_MODEL_BOUNDS` when an accumulator or a partial sum of one may leave 32 bits
 */
export function programBounds(program: IntegerProgram): Bounds[][] {
  const values: Bounds[][] = [program.input.maxima.map((maximum) => ({ low: 0n, high: BigInt(maximum) }))];
  const forms = new Forms(values);
  for (const operation of program.operations)
    values.push(isLinear(operation) ? forms.follow(operation) : boundsOf(operation, values));
  assertPartialSums(program, values);
  for (const [index, bounds] of values.entries()) for (const [i, one] of bounds.entries()) assertAccumulator(one, index - 1, i);
  return values;
}
