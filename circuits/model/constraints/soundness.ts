/**
 * A smoke test of soundness: changes one wire of a valid witness at a time and sees whether some row notices. Finding nothing proves
 * nothing; a wire that it names is a hole, or a wire that nothing depends on.
 */
import { FIELD_ORDER } from '#protocol/field.ts';
import { type ConstraintSystem, widthOf } from './system.ts';
import { violated, witnessOf } from './witness.ts';

/** A wire that may hold another value while every row holds. */
export interface UnboundWire {
  readonly wire: number;
  /** Whether a public signal changes with it: then the circuit proves a falsehood. */
  readonly changesOutputs: boolean;
}

/** Wires that a prover chooses: all but the constant and the inputs; public ones included. */
export function chosenWires(system: ConstraintSystem): number[] {
  const { publicCount } = system.layout;
  const own = system.tape.flatMap((step) => Array.from({ length: widthOf(step) }, (_, i) => step.first + i));
  return [...Array.from({ length: publicCount }, (_, i) => 1 + i), ...own];
}

function rowsByWire(system: ConstraintSystem): Map<number, Set<number>> {
  const rows = new Map<number, Set<number>>();
  for (const [index, { a, b, c }] of system.rows.entries()) {
    for (const { terms } of [a, b, c]) {
      for (const wire of terms.keys()) {
        const of = rows.get(wire) ?? new Set();
        rows.set(wire, of.add(index));
      }
    }
  }
  return rows;
}

/** Other values that a wire is tried with: the flipped bit, a neighbour, something large. */
function others(value: bigint): bigint[] {
  return [(FIELD_ORDER + 1n - value) % FIELD_ORDER, (value + 1n) % FIELD_ORDER, FIELD_ORDER - 1n - value].filter(
    (other) => other !== value,
  );
}

/** The named wires changed one at a time, all others left as they were. */
export function unboundAlone(system: ConstraintSystem, witness: readonly bigint[], wires: readonly number[]): UnboundWire[] {
  const rows = rowsByWire(system);
  const values = [...witness];
  const unbound: UnboundWire[] = [];
  for (const wire of wires) {
    const honest = values[wire]!;
    for (const other of others(honest)) {
      values[wire] = other;
      if (violated(system, values, rows.get(wire) ?? []).length > 0) continue;
      unbound.push({ wire, changesOutputs: wire <= system.layout.publicCount });
      break;
    }
    values[wire] = honest;
  }
  return unbound;
}

/** The named wires changed one at a time, everything that follows from each recomputed as a dishonest prover would. */
export function unboundFollowed(system: ConstraintSystem, inputs: readonly bigint[], wires: readonly number[]): UnboundWire[] {
  const honest = witnessOf(system, inputs);
  const unbound: UnboundWire[] = [];
  for (const wire of wires) {
    for (const other of others(honest[wire]!)) {
      const forged = witnessOf(system, inputs, new Map([[wire, other]]));
      if (violated(system, forged).length > 0) continue;
      const changesOutputs = system.outputs.some((_, i) => forged[1 + i] !== honest[1 + i]);
      unbound.push({ wire, changesOutputs });
      break;
    }
  }
  return unbound;
}
