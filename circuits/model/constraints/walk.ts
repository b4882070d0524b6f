/** The soundness walk of a circuit that was just made: a smoke test that runs before a key is. See soundness.ts for what it can show. */
import { randomInt } from 'node:crypto';
import { randomField } from '#protocol/commitments.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { IntegerProgram } from '../program/program.ts';
import { chosenWires, unboundAlone } from './soundness.ts';
import type { ConstraintSystem } from './system.ts';
import { violated, witnessOf } from './witness.ts';

/** What was walked. */
export interface SoundnessWalk {
  /** Valid witnesses of random inputs. */
  readonly witnesses: number;
  /** Wires changed under each of them, and how many a prover chooses. */
  readonly wires: number;
  readonly ofWires: number;
}

/** Wires on which nothing depends while what they invert is zero. */
export function freeInverses(system: ConstraintSystem): ReadonlySet<number> {
  return new Set(system.tape.filter(({ kind }) => kind === 'non-zero').map(({ first }) => first + 1));
}

/** `count` of the values, each equally likely; all of them when there are no more. */
function sampleOf(values: readonly number[], count: number): readonly number[] {
  const left = [...values];
  for (let i = 0; i < Math.min(count, left.length); i++) {
    const j = randomInt(i, left.length);
    [left[i], left[j]] = [left[j]!, left[i]!];
  }
  return left.slice(0, count);
}

/**
 * Changes wires one at a time under valid witnesses of random inputs, both from the CSPRNG.
 * @param size - how much to walk
 * @throws `STUN_MODEL_UNSOUND` for a wire that may be changed without any row noticing, but for inverses of zero; also when a row of an honest witness fails
 */
export function walkCircuit(
  system: ConstraintSystem,
  { input }: Pick<IntegerProgram, 'input'>,
  size: { readonly witnesses: number; readonly wires: number },
): SoundnessWalk {
  const every = chosenWires(system);
  const inverses = freeInverses(system);
  let wires = 0;
  for (let i = 0; i < size.witnesses; i++) {
    const values = input.maxima.map((maximum) => BigInt(randomInt(maximum + 1)));
    const witness = witnessOf(system, [...values, randomField(), randomField()]);
    const [broken] = violated(system, witness);
    if (broken !== undefined) throw new StunError('STUN_MODEL_UNSOUND', 'an honest witness breaks a row of the circuit');
    const chosen = sampleOf(every, size.wires);
    wires = chosen.length;
    const hole = unboundAlone(system, witness, chosen).find(({ wire, changesOutputs }) => changesOutputs || !inverses.has(wire));
    if (hole !== undefined) throw new StunError('STUN_MODEL_UNSOUND', `wire ${hole.wire} of the circuit is bound by no row`);
  }
  return { witnesses: size.witnesses, wires, ofWires: every.length };
}
