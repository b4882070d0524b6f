/** Fills the wires of a model circuit by its tape: what an honest prover does. It checks nothing; the rows do. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { inverse, reduce } from '../../build/field-math.ts';
import { type ConstraintSystem, type Step, widthOf } from './system.ts';

/** Values forced upon wires after their step ran: how tests play a dishonest prover whose other wires follow from the lie. */
export type Override = ReadonlyMap<number, bigint>;

const HALF = FIELD_ORDER >> 1n;

/** A canonical value as the small signed integer that it stands for. */
function signed(value: bigint): bigint {
  return value > HALF ? value - FIELD_ORDER : value;
}

function run(step: Step, values: bigint[]): void {
  const { first } = step;
  switch (step.kind) {
    case 'product':
      values[first] = (step.a.evaluate(values) * step.b.evaluate(values)) % FIELD_ORDER;
      return;
    case 'bits': {
      const value = step.of.evaluate(values);
      for (let i = 0; i < step.count; i++) values[first + i] = (value >> BigInt(i)) & 1n;
      return;
    }
    case 'at-least': {
      const value = signed(step.of.evaluate(values));
      for (const [i, threshold] of step.thresholds.entries()) values[first + i] = value >= BigInt(threshold) ? 1n : 0n;
      return;
    }
    case 'first-max': {
      const scores = step.of.map((one) => signed(one.evaluate(values)));
      const best = scores.reduce((so, score, i) => (score > scores[so]! ? i : so), 0);
      for (let i = 0; i < scores.length; i++) values[first + i] = i === best ? 1n : 0n;
      values[first + scores.length] = reduce(scores[best]!);
      return;
    }
    case 'non-zero': {
      const value = step.of.evaluate(values);
      values[first] = value === 0n ? 0n : 1n;
      values[first + 1] = value === 0n ? 0n : inverse(value);
      return;
    }
    case 'mixed-products': {
      const products = step.factors.map(([a, b]) => (a.evaluate(values) * b.evaluate(values)) % FIELD_ORDER);
      for (const [j, row] of step.rows.entries()) {
        const mixed = row.reduce((sum, coefficient, i) => sum + coefficient * products[i]!, step.plus[j]!.evaluate(values));
        values[first + j] = mixed % FIELD_ORDER;
      }
    }
  }
}

/**
 * The values of all wires.
 * @param inputs - private inputs, canonical field elements, as many as the layout says
 * @param override - for tests of soundness only; an honest prover has none
 * @throws `STUN_CIRCUIT_INPUT` for another number of inputs or a value that is no field element
 */
export function witnessOf(system: ConstraintSystem, inputs: readonly bigint[], override: Override = new Map()): bigint[] {
  const { publicCount, inputCount } = system.layout;
  if (inputs.length !== inputCount || inputs.some((value) => value < 0n || value >= FIELD_ORDER))
    throw new StunError('STUN_CIRCUIT_INPUT', `the circuit takes ${inputCount} field elements, got ${inputs.length}`);
  const values = new Array<bigint>(system.wireCount).fill(0n);
  values[0] = 1n;
  for (const [i, value] of inputs.entries()) values[1 + publicCount + i] = value;
  for (const step of system.tape) {
    run(step, values);
    if (override.size === 0) continue;
    for (let wire = step.first; wire < step.first + widthOf(step); wire++) {
      const forced = override.get(wire);
      if (forced !== undefined) values[wire] = forced;
    }
  }
  for (const [i, of] of system.outputs.entries()) values[1 + i] = override.get(1 + i) ?? of.evaluate(values);
  return values;
}

/** The rows that an assignment violates. @param only - row numbers to look at; all by default */
export function violated(system: ConstraintSystem, values: readonly bigint[], only?: Iterable<number>): number[] {
  const wrong: number[] = [];
  for (const row of only ?? system.rows.keys()) {
    const { a, b, c } = system.rows[row]!;
    if ((a.evaluate(values) * b.evaluate(values) - c.evaluate(values)) % FIELD_ORDER !== 0n) wrong.push(row);
  }
  return wrong;
}
