/**
 * Poseidon over BN254 with circomlib's parameters, 1 to 16 inputs.
 *
 * t = inputs + 1, x^5, 8 full rounds, the partial rounds below; round constants and the Cauchy MDS matrix come from the Grain
 * LFSR of the reference script, through @noble/curves. Synchronous and pure. Sums of a matrix row are reduced once, not per term.
 * Held equal to circomlibjs, to the circuit and to the contracts by tests.
 *
 * Source: Grassi et al., "Poseidon" (eprint 2019/458), tables 2 and 8; partial rounds as circomlib's poseidon.circom rounds them.
 */
import { grainGenConstants } from '@noble/curves/abstract/poseidon.js';
import { bn254_Fr } from '@noble/curves/bn254.js';
import { StunError } from './errors/stun-error.ts';
import { assertField, FIELD_ORDER } from './field.ts';

const FULL_ROUNDS = 8;
/** Partial rounds for 1..16 inputs. */
const PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68] as const;

interface Parameters {
  readonly roundConstants: readonly (readonly bigint[])[];
  readonly mds: readonly (readonly bigint[])[];
}
/** Derived once per width: about 15 ms each. Holds constants only. */
const parametersByInputs = new Map<number, Parameters>();

function parametersOf(inputs: number): Parameters {
  let parameters = parametersByInputs.get(inputs);
  if (parameters === undefined) {
    const roundsPartial = PARTIAL_ROUNDS[inputs - 1];
    if (roundsPartial === undefined) throw new StunError('STUN_RANGE', 'Poseidon takes 1 to 16 inputs');
    parameters = grainGenConstants({ Fp: bn254_Fr, t: inputs + 1, roundsFull: FULL_ROUNDS, roundsPartial, sboxPower: 5 });
    parametersByInputs.set(inputs, parameters);
  }
  return parameters;
}

function power5(value: bigint): bigint {
  const square = (value * value) % FIELD_ORDER;
  return (((square * square) % FIELD_ORDER) * value) % FIELD_ORDER;
}

/**
 * The raw hash. Callers outside this folder use the named commitments, which add the tag.
 * @param inputs - 1..16 canonical field elements
 * @throws `STUN_RANGE` for an input of r or more, or another number of inputs
 */
export function poseidon(inputs: readonly bigint[]): bigint {
  for (const [i, input] of inputs.entries()) assertField(input, `Poseidon input ${i}`);
  const { roundConstants, mds } = parametersOf(inputs.length);
  const width = inputs.length + 1;
  const rounds = roundConstants.length;
  let state = [0n, ...inputs];
  for (let round = 0; round < rounds; round++) {
    const constants = roundConstants[round]!;
    const full = round < FULL_ROUNDS / 2 || round >= rounds - FULL_ROUNDS / 2;
    for (let i = 0; i < width; i++) {
      const sum = state[i]! + constants[i]!;
      state[i] = full || i === 0 ? power5(sum % FIELD_ORDER) : sum;
    }
    state = mds.map((row) => {
      let sum = 0n;
      for (let j = 0; j < width; j++) sum += row[j]! * state[j]!;
      return sum % FIELD_ORDER;
    });
  }
  return state[0]!;
}
