/**
 * Verifies Groth16 proofs over BN254 with arithmetic of its own (@noble/curves), so that the prover's library does not judge its
 * own work. As strict as the verifier contract: canonical coordinates and signals, points on the curve and B in the subgroup.
 * Groth16: J. Groth, "On the Size of Pairing-based Non-interactive Arguments", EUROCRYPT 2016, section 3.2.
 */
import { mulAddUnsafe } from '@noble/curves/abstract/curve.js';
import { bn254 } from '@noble/curves/bn254.js';
import type { VerificationKey } from '#circuits/manifest.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
const { Fp, Fp2, Fp12 } = bn254.fields;
type G1Point = InstanceType<typeof G1>;
type G2Point = InstanceType<typeof G2>;

function canonical(value: string): bigint {
  const coordinate = BigInt(value);
  if (coordinate >= Fp.ORDER) throw new RangeError('a coordinate is not below q');
  return coordinate;
}

function g1(x: string, y: string): G1Point {
  const point = G1.fromAffine({ x: canonical(x), y: canonical(y) });
  point.assertValidity();
  return point;
}

function g2(x: readonly [c0: string, c1: string], y: readonly [c0: string, c1: string]): G2Point {
  const element = ([c0, c1]: readonly [string, string]): ReturnType<typeof Fp2.create> =>
    Fp2.fromBigTuple([canonical(c0), canonical(c1)]);
  const point = G2.fromAffine({ x: element(x), y: element(y) });
  point.assertValidity();
  return point;
}

function holds(key: VerificationKey, proof: ProofPoints, signals: readonly bigint[]): boolean {
  const a = g1(...proof.a);
  const b = g2([proof.b[0][1], proof.b[0][0]], [proof.b[1][1], proof.b[1][0]]);
  const c = g1(...proof.c);
  const [first, ...rest] = key.IC.map(([x, y]) => g1(x, y));
  if (first === undefined || rest.length !== signals.length) throw new RangeError('the number of signals is another');
  const input = mulAddUnsafe(G1, rest, [...signals]).add(first);
  const keyG2 = ([x, y]: VerificationKey['vk_beta_2']): G2Point => g2(x, y);
  const result = bn254.pairingBatch([
    { g1: a.negate(), g2: b },
    { g1: g1(key.vk_alpha_1[0], key.vk_alpha_1[1]), g2: keyG2(key.vk_beta_2) },
    { g1: input, g2: keyG2(key.vk_gamma_2) },
    { g1: c, g2: keyG2(key.vk_delta_2) },
  ]);
  return Fp12.eql(result, Fp12.ONE);
}

/**
 * Verifies a proof and returns the signals it holds for.
 * @param signals - in the circuit's order
 * @throws `STUN_PROOF_INVALID`
 */
export function verifyGroth16(key: VerificationKey, proof: ProofPoints, signals: readonly bigint[]): readonly bigint[] {
  if (signals.some((signal) => signal < 0n || signal >= FIELD_ORDER)) {
    throw new StunError('STUN_PROOF_INVALID', 'every signal must be below r');
  }
  let valid: boolean;
  try {
    valid = holds(key, proof, signals);
  } catch (cause) {
    throw new StunError('STUN_PROOF_INVALID', 'the proof has points that no honest prover makes', { cause });
  }
  if (!valid) throw new StunError('STUN_PROOF_INVALID', 'the proof does not verify for its signals');
  return signals;
}
