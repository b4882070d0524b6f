/** The greatest of a few bounded integers: what max-pooling takes from a window. */
import { Linear } from '../linear.ts';
import type { ConstraintSystem } from '../system.ts';
import { fromBits, toBits } from './range.ts';
import type { Bounds } from './requantise.ts';

/** A combination with proven bounds. */
export interface Bounded {
  readonly of: Linear;
  readonly bounds: Bounds;
}

/**
 * Binds the greater of two: the difference plus 2^w in w + 1 bits, whose highest says that the first is not the smaller one, and one
 * product. Nothing is spent where the bounds alone decide.
 */
function greater(system: ConstraintSystem, a: Bounded, b: Bounded): Bounded {
  const [low, high] = [a.bounds.low - b.bounds.high, a.bounds.high - b.bounds.low];
  if (low >= 0n) return a;
  if (high <= 0n) return b;
  let width = 0;
  while (1n << BigInt(width) < -low || 1n << BigInt(width) <= high) width++;
  const difference = a.of.minus(b.of);
  const bits = toBits(system, 'window-max.difference', difference.plus(Linear.constant(1n << BigInt(width))), width + 1);
  const atLeast = bits[width]!;
  // The difference is read back from its bits, which are wires that stand in factors anyway; its own terms may be many.
  const short = fromBits(bits).minus(Linear.constant(1n << BigInt(width)));
  const of = b.of.plus(system.product('window-max.greater', atLeast, short));
  const bounds = {
    low: a.bounds.low > b.bounds.low ? a.bounds.low : b.bounds.low,
    high: a.bounds.high > b.bounds.high ? a.bounds.high : b.bounds.high,
  };
  return { of, bounds };
}

/** Binds the greatest. @param values - one at least; their bounds are not checked @returns it as a combination */
export function greatest(system: ConstraintSystem, values: readonly Bounded[]): Linear {
  return values.reduce((so, value) => greater(system, so, value)).of;
}
