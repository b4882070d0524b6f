/**
 * The circuit of a selective disclosure: a committed output has an element in a range, or as its first maximum. One circuit for each shape;
 * public signals and their meaning are those of `protocol/disclosure.ts`, and every one is bound here, so that a contract needs no check of
 * its own beyond the proof.
 *
 * It does NOT say whose output it is: a receipt does, by the commitment.
 */
import type { TensorShape } from '#protocol/commitments.ts';
import { DISCLOSURE_SIGNALS, disclosedElements } from '#protocol/disclosure.ts';
import { toBits } from '../constraints/gadgets/range.ts';
import { commitTensor } from '../constraints/gadgets/tensor-commitment.ts';
import { Linear } from '../constraints/linear.ts';
import { ConstraintSystem } from '../constraints/system.ts';
import { witnessOf } from '../constraints/witness.ts';

/** Private inputs: the elements, the blinding, one choice for each element, low, high, isArgmax. */
const OTHER_INPUTS = 4;

const sum = (of: readonly Linear[]): Linear => Linear.combine(of.map((one) => [1n, one] as const));

/**
 * Writes the constraints.
 * @param shape - elements of at most 8 bytes
 * @throws `STUN_INPUT` for a shape without elements or with too many
 */
export function disclosureSystem(shape: TensorShape): ConstraintSystem {
  const count = disclosedElements(shape);
  const bits = 8 * shape.bytesPerElement;
  const system = new ConstraintSystem({ publicCount: DISCLOSURE_SIGNALS.length, inputCount: 2 * count + OTHER_INPUTS });
  const inputs = (first: number, length: number): Linear[] => Array.from({ length }, (_, i) => system.input(first + i));
  const elements = inputs(0, count);
  const blinding = system.input(count);
  const chosen = inputs(count + 1, count);
  const [low, high, isArgmax] = inputs(2 * count + 1, 3) as [Linear, Linear, Linear];

  for (const element of elements) toBits(system, 'disclosure.element', element, bits);
  for (const one of chosen) system.enforceBoolean('disclosure.choice', one);
  system.enforceZero('disclosure.one', sum(chosen).minus(Linear.constant(1n)));
  const value = sum(chosen.map((one, i) => system.product('disclosure.value', one, elements[i]!)));

  // All four are below 2^bits, so that a difference that has so many bits is not negative.
  toBits(system, 'disclosure.low', low, bits);
  toBits(system, 'disclosure.high', high, bits);
  toBits(system, 'disclosure.above-low', value.minus(low), bits);
  toBits(system, 'disclosure.below-high', high.minus(value), bits);

  system.enforceBoolean('disclosure.is-argmax', isArgmax);
  for (const [i, element] of elements.entries()) {
    // An earlier element must be less by one at least.
    const isEarlier = sum(chosen.slice(i + 1));
    const lead = system.product('disclosure.lead', isArgmax, value.minus(element).minus(isEarlier));
    toBits(system, 'disclosure.not-above', lead, bits);
  }

  const index = Linear.combine(chosen.map((one, i) => [BigInt(i), one] as const));
  const signals = [commitTensor(system, shape, elements, blinding), index, low, high, isArgmax];
  for (const [i, signal] of signals.entries()) system.expose(`disclosure.public.${DISCLOSURE_SIGNALS[i]!}`, signal);
  return system;
}

/**
 * The values of all wires. Judges nothing: of a false statement they violate a row.
 * @param elements - biased, as they are committed to
 * @param signals - of `disclosureSignals`
 * @throws `STUN_CIRCUIT_INPUT` for a number of elements that is not the shape's
 */
export function disclosureWitness(
  system: ConstraintSystem,
  elements: readonly bigint[],
  blinding: bigint,
  signals: readonly bigint[],
): bigint[] {
  const [, index, ...rest] = signals;
  const chosen = elements.map((_, i) => (BigInt(i) === index ? 1n : 0n));
  return witnessOf(system, [...elements, blinding, ...chosen, ...rest]);
}
