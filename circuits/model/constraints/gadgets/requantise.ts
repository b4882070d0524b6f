/**
 * A neuron's accumulator made an activation: clamp(⌊(acc + half) / 2^shift⌋, 0, maximum), with half = 2^(shift-1), or 0 without a shift.
 * Complete: every accumulator within its proven bounds has a witness.
 */
import { Linear } from '../linear.ts';
import type { ConstraintSystem } from '../system.ts';
import { fromBits, toBits } from './range.ts';

/** Proven bounds of an integer, both ends included. */
export interface Bounds {
  readonly low: bigint;
  readonly high: bigint;
}

/** Bounds that hold for every one of several values. */
export function widest(bounds: readonly Bounds[]): Bounds {
  return bounds.reduce((so, one) => ({
    low: one.low < so.low ? one.low : so.low,
    high: one.high > so.high ? one.high : so.high,
  }));
}

/** The rounding half that is added before the shift. */
export function roundingHalf(shift: number): bigint {
  return shift === 0 ? 0n : 1n << BigInt(shift - 1);
}

/**
 * Binds the activation of one neuron. `maximum` is 2^m - 1.
 *
 * The accumulator plus 2^k is written in k + 1 bits; the highest says whether it is negative, the `shift` lowest are dropped, the next
 * m are the activation, and any bit above them saturates it.
 * @param bounds - of `accumulator` itself, before the half is added; nothing is checked against them, they are the caller's proof
 */
export function requantise(
  system: ConstraintSystem,
  accumulator: Linear,
  bounds: Bounds,
  shift: number,
  maximum: bigint,
): Linear {
  const half = roundingHalf(shift);
  const [low, high] = [bounds.low + half, bounds.high + half];
  if (high < 1n << BigInt(shift)) return Linear.zero;
  let width = 0;
  while (-(1n << BigInt(width)) > low || 1n << BigInt(width) <= high) width++;
  const rounded = accumulator.plus(Linear.constant(half));
  const neverNegative = low >= 0n;
  const bits = neverNegative
    ? toBits(system, 'requantise', rounded, width)
    : toBits(system, 'requantise', rounded.plus(Linear.constant(1n << BigInt(width))), width + 1);
  const positive = neverNegative ? Linear.constant(1n) : bits[width]!;
  const kept = bits.slice(shift, width);
  const activationBits = maximum.toString(2).length;
  const small = fromBits(kept.slice(0, activationBits));
  const plain = noneOf(system, positive, kept.slice(activationBits));
  // Neither cut off at 0 nor saturated: as it is. Not negative and not as it is: saturated. One wire, so that later layers stay short.
  const cut = positive.minus(plain).times(maximum);
  if (cut.constantValue === 0n) return system.product('requantise.activation', plain, small);
  const factors = [[plain, small]] as const;
  const activation = Linear.wire(system.allocate({ kind: 'mixed-products', factors, rows: [[1n]], plus: [cut] }));
  system.enforce('requantise.activation', plain, small, activation.minus(cut));
  return activation;
}

/** Up to so many bits are multiplied one by one; for more, one inverse is cheaper. */
const MULTIPLIED_BITS = 2;

/** 1 when `positive` is 1 and no bit above is, else 0. */
function noneOf(system: ConstraintSystem, positive: Linear, above: readonly Linear[]): Linear {
  if (above.length <= MULTIPLIED_BITS) {
    const one = Linear.constant(1n);
    return above.reduce((so, bit) => system.product('requantise.fits', so, one.minus(bit)), positive);
  }
  const against = Linear.combine([[1n, Linear.constant(1n).minus(positive)], ...above.map((bit) => [1n, bit] as const)]);
  return Linear.constant(1n).minus(nonZero(system, 'requantise.saturates', against));
}

/**
 * 1 when a value is not 0, else 0. The inverse is a free wire when the value is 0, and nothing depends on it then.
 * @returns the flag
 */
export function nonZero(system: ConstraintSystem, label: string, of: Linear): Linear {
  const first = system.allocate({ kind: 'non-zero', of });
  const [flag, inverse] = [Linear.wire(first), Linear.wire(first + 1)];
  system.enforce(`${label}.inverse`, of, inverse, flag);
  system.enforceZeroProduct(`${label}.zero`, of, Linear.constant(1n).minus(flag));
  return flag;
}
