/** Numbers as bits: the one way in which a model circuit learns that a value is small. */
import { inverse } from '../../../build/field-math.ts';
import { Linear } from '../linear.ts';
import type { ConstraintSystem } from '../system.ts';

/** Widest decomposition: 2^count stays far below r, so that bits have one meaning only. */
const MAX_BITS = 64;

/** A combination of this many terms may stand in a product without making the key larger than the row it saves. */
const SHORT_TERMS = 2;

/**
 * Binds `count` boolean combinations whose binary value is `of`, which therefore is in [0, 2^count). The highest bit of a short
 * combination takes neither a wire nor a row of its own: it is what the lower ones leave.
 * @returns the bits, lowest first
 */
export function toBits(system: ConstraintSystem, label: string, of: Linear, count: number): Linear[] {
  if (!Number.isInteger(count) || count < 0 || count > MAX_BITS) throw new RangeError(`${count} bits`);
  if (count === 0) {
    system.enforceZero(`${label}.sum`, of);
    return [];
  }
  const short = of.terms.size <= SHORT_TERMS;
  const wires = short ? count - 1 : count;
  const first = system.allocate({ kind: 'bits', of, count: wires });
  const bits = Array.from({ length: wires }, (_, i) => Linear.wire(first + i));
  if (short) bits.push(of.minus(fromBits(bits)).times(inverse(1n << BigInt(wires))));
  for (const bit of bits) system.enforceBoolean(`${label}.bit`, bit);
  if (!short) system.enforceZero(`${label}.sum`, fromBits(bits).minus(of));
  return bits;
}

/** The number that bits stand for, lowest first. */
export function fromBits(bits: readonly Linear[]): Linear {
  return Linear.combine(bits.map((bit, i) => [1n << BigInt(i), bit] as const));
}

/** Bits that hold every integer of 0..maximum. */
export function bitsFor(maximum: bigint): number {
  return maximum === 0n ? 0 : maximum.toString(2).length;
}
