/**
 * Verification keys of models whose trapdoor the test knows, and proofs made with it: every statement has one. Enough for whatever
 * does not ask what the circuit says; proofs of real models are in the tests of the compiler.
 */
import { bn254 } from '@noble/curves/bn254.js';
import type { ProofPoints } from '#chain/escrow.ts';
import { bigIntToBytes, concatBytes, FIELD_ORDER, randomField } from '#protocol/index.ts';

const mod = (value: bigint): bigint => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

function inverse(value: bigint): bigint {
  let [result, square] = [1n, mod(value)];
  for (let exponent = FIELD_ORDER - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function g1(scalar: bigint): readonly [bigint, bigint] {
  const { x, y } = bn254.G1.Point.BASE.multiply(scalar).toAffine();
  return [x, y];
}

/** Coordinates as the precompile takes them: c1 before c0. */
function g2(scalar: bigint): readonly [readonly [bigint, bigint], readonly [bigint, bigint]] {
  const { x, y } = bn254.G2.Point.BASE.multiply(scalar).toAffine();
  return [
    [x.c1, x.c0],
    [y.c1, y.c0],
  ];
}

/** A key with its trapdoor. */
export interface TrapdoorKey {
  /** 640 bytes, as the model registry takes them. */
  readonly bytes: Uint8Array;
  /** A proof that the verifier accepts for any two commitments. */
  prove(inputCommitment: bigint, outputCommitment: bigint): ProofPoints;
}

/** A fresh key. @param change - of the points' discrete logarithms, for keys that the registry must refuse */
export function makeTrapdoorKey(change: { readonly delta?: 'gamma' } = {}): TrapdoorKey {
  const [alpha, beta, gamma] = [randomField(), randomField(), randomField()];
  const delta = change.delta === 'gamma' ? gamma : randomField();
  const ic = [randomField(), randomField(), randomField()] as const;
  const words = [...g1(alpha), ...[beta, gamma, delta].flatMap((one) => g2(one).flat()), ...ic.flatMap((one) => g1(one))];
  return {
    bytes: concatBytes(...words.map((word) => bigIntToBytes(word, 32))),
    prove: (input, output) => {
      const [a, b] = [randomField(), randomField()];
      const inputs = mod(ic[0] + input * ic[1] + output * ic[2]);
      const c = mod(mod(a * b - alpha * beta - inputs * gamma) * inverse(delta));
      return { a: g1(a), b: g2(b), c: g1(c) };
    },
  };
}
