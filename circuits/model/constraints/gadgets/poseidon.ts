/**
 * Poseidon inside a model circuit, constraint for constraint: an S-box is three products, linear layers are free. Same parameters and
 * same rearrangement of the partial rounds as `protocol/poseidon.ts`, so both give the same hash.
 */
import { poseidonParameters } from '#protocol/poseidon-parameters.ts';
import { Linear } from '../linear.ts';
import type { ConstraintSystem } from '../system.ts';

function power5(system: ConstraintSystem, of: Linear): Linear {
  const square = system.product('poseidon.square', of, of);
  const fourth = system.product('poseidon.fourth', square, square);
  return system.product('poseidon.fifth', fourth, of);
}

function dot(row: readonly bigint[], state: readonly Linear[]): Linear {
  return Linear.combine(state.map((one, j) => [row[j]!, one] as const));
}

function boxed(system: ConstraintSystem, of: Linear, constant: bigint): Linear {
  return power5(system, of.plus(Linear.constant(constant)));
}

/** The hash of 1 to 16 combinations. Constant inputs cost nothing where they stay constant. */
export function poseidonOf(system: ConstraintSystem, inputs: readonly Linear[]): Linear {
  const { before, after, mds, sparse, lastConstant, lastMatrix } = poseidonParameters(inputs.length);
  const fullRound = (state: readonly Linear[], constants: readonly bigint[]): Linear[] => {
    const boxes = state.map((one, i) => boxed(system, one, constants[i]!));
    return mds.map((row) => dot(row, boxes));
  };
  let state: Linear[] = [Linear.zero, ...inputs];
  for (const constants of before) state = fullRound(state, constants);
  for (const { constant, row, column } of sparse) {
    const first = boxed(system, state[0]!, constant);
    const mixed = [first, ...state.slice(1)];
    state = [dot(row, mixed), ...state.slice(1).map((one, i) => one.plus(first.times(column[i]!)))];
  }
  const last = [boxed(system, state[0]!, lastConstant), ...state.slice(1)];
  state = lastMatrix.map((row) => dot(row, last));
  for (const constants of after.slice(0, -1)) state = fullRound(state, constants);
  const boxes = state.map((one, i) => boxed(system, one, after.at(-1)![i]!));
  return dot(mds[0]!, boxes);
}
