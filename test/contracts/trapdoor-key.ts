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
  /** The fixed encoding; 640 bytes with two signals, as the model registry takes them. */
  readonly bytes: Uint8Array;
  /** A proof that the verifier accepts for any signals. */
  prove(...signals: readonly bigint[]): ProofPoints;
}

/**
 * A fresh key.
 * @param change - how many public signals it is for, two when not said; of the points' discrete logarithms, for keys that the registry must refuse
 */
export function makeTrapdoorKey(change: { readonly delta?: 'gamma'; readonly signals?: number } = {}): TrapdoorKey {
  const [alpha, beta, gamma] = [randomField(), randomField(), randomField()];
  const delta = change.delta === 'gamma' ? gamma : randomField();
  const ic = Array.from({ length: (change.signals ?? 2) + 1 }, () => randomField());
  const words = [...g1(alpha), ...[beta, gamma, delta].flatMap((one) => g2(one).flat()), ...ic.flatMap((one) => g1(one))];
  return {
    bytes: concatBytes(...words.map((word) => bigIntToBytes(word, 32))),
    prove: (...signals) => {
      const [a, b] = [randomField(), randomField()];
      const inputs = ic.reduce((sum, one, i) => mod(sum + one * (i === 0 ? 1n : signals[i - 1]!)), 0n);
      const c = mod(mod(a * b - alpha * beta - inputs * gamma) * inverse(delta));
      return { a: g1(a), b: g2(b), c: g1(c) };
    },
  };
}
