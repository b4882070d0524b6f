/**
 * Poseidon over BN254 with circomlib's parameters, 1 to 16 inputs.
 * The implementation is circomlibjs' WebAssembly one; it starts no worker threads.
 */
import { buildPoseidon } from 'circomlibjs';
import { assertField } from './field.ts';

const instance = await buildPoseidon();

/**
 * The raw permutation hash. Callers outside this folder use the named commitments, which add the tag.
 * @param inputs - 1..16 canonical field elements
 * @throws `STUN_RANGE` for an input of r or more
 */
export function poseidon(inputs: readonly bigint[]): bigint {
  for (const [i, input] of inputs.entries()) assertField(input, `Poseidon input ${i}`);
  return instance.F.toObject(instance([...inputs]));
}
