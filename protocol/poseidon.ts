/**
 * Poseidon over BN254 with circomlib's parameters, 1 to 16 inputs: synchronous and pure. A matrix row is reduced once, not per
 * term. Held equal to circomlibjs, to the circuit and to the contracts by tests.
 */
import { assertField, FIELD_ORDER } from './field.ts';
import { poseidonParameters } from './poseidon-parameters.ts';

function power5(value: bigint): bigint {
  const square = (value * value) % FIELD_ORDER;
  return (((square * square) % FIELD_ORDER) * value) % FIELD_ORDER;
}

function dot(row: readonly bigint[], state: readonly bigint[]): bigint {
  let sum = 0n;
  for (let j = 0; j < state.length; j++) sum += row[j]! * state[j]!;
  return sum % FIELD_ORDER;
}

function fullRound(state: readonly bigint[], constants: readonly bigint[], mds: readonly (readonly bigint[])[]): bigint[] {
  const boxed = state.map((x, i) => power5((x + constants[i]!) % FIELD_ORDER));
  return mds.map((row) => dot(row, boxed));
}

/**
 * The tagged hash: the tag is the state's element 0, which no input reaches, and the result is element 0 after the permutation.
 * Callers outside this folder use the named commitments.
 * @param tag - one of {@link TAG}: hashes under different tags are different functions
 * @param inputs - 1..16 canonical field elements
 * @throws `STUN_RANGE` for an input of r or more, or another number of inputs
 */
export function poseidon(tag: bigint, inputs: readonly bigint[]): bigint {
  for (const [i, input] of inputs.entries()) assertField(input, `Poseidon input ${i}`);
  const { before, after, mds, sparse, lastConstant, lastMatrix } = poseidonParameters(inputs.length);
  let state = [assertField(tag, 'tag'), ...inputs];
  for (const constants of before) state = fullRound(state, constants, mds);
  for (const { constant, row, column } of sparse) {
    const first = power5((state[0]! + constant) % FIELD_ORDER);
    state[0] = first;
    const next = dot(row, state);
    for (let i = 1; i < state.length; i++) state[i] = (state[i]! + column[i - 1]! * first) % FIELD_ORDER;
    state[0] = next;
  }
  state[0] = power5((state[0]! + lastConstant) % FIELD_ORDER);
  const boxed = state;
  state = lastMatrix.map((row) => dot(row, boxed));
  for (const constants of after) state = fullRound(state, constants, mds);
  return state[0]!;
}
