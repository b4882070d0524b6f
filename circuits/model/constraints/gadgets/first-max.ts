/** The index of the greatest of some scores, the first one when several are equal: the ArgMax of ONNX. */
import { Linear } from '../linear.ts';
import type { ConstraintSystem } from '../system.ts';
import type { Bounds } from './requantise.ts';
import { bitsFor, toBits } from './range.ts';

/**
 * Binds one index: a one-hot choice, the chosen score as the maximum, no other score above it and none before the index equal to it.
 * @param bounds - of all scores together; not checked
 * @returns the index as a combination
 */
export function firstMax(system: ConstraintSystem, scores: readonly Linear[], bounds: Bounds): Linear {
  if (scores.length === 1) return Linear.zero;
  const first = system.allocate({ kind: 'first-max', of: scores });
  const chosen = scores.map((_, i) => Linear.wire(first + i));
  const maximum = Linear.wire(first + scores.length);
  for (const one of chosen) system.enforceBoolean('first-max.choice', one);
  system.enforceZero('first-max.one', Linear.combine(chosen.map((one) => [1n, one] as const)).minus(Linear.constant(1n)));
  const width = bitsFor(bounds.high - bounds.low);
  for (const [i, score] of scores.entries()) {
    // The chosen score is the maximum: with the range below, no other can be.
    system.enforceZeroProduct('first-max.chosen', chosen[i]!, maximum.minus(score));
    const laterChosen = Linear.combine(chosen.slice(i + 1).map((one) => [1n, one] as const));
    toBits(system, 'first-max.above', maximum.minus(score).minus(laterChosen), width);
  }
  return Linear.combine(chosen.map((one, i) => [BigInt(i), one] as const));
}
