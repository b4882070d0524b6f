/**
 * Verification of a proof, of a settlement or an inference, from the fixed encoding of its key: an implementation of its own, so that an auditor does not rely
 * on the prover's. Groth16: J. Groth, "On the Size of Pairing-based Non-interactive Arguments", EUROCRYPT 2016, section 3.2.
 */
import { mulAddUnsafe } from '@noble/curves/abstract/curve.js';
import { bn254 } from '@noble/curves/bn254.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bigIntToBytes, bytesToBigInt, concatBytes, FIELD_ORDER, StunError, toHex, utf8, type Hex } from '#protocol/index.ts';

const { Point: G1 } = bn254.G1;
const { Point: G2 } = bn254.G2;
const { Fp, Fp2, Fp12 } = bn254.fields;
type G1Point = InstanceType<typeof G1>;
type G2Point = InstanceType<typeof G2>;

/** Words before the points of the public input: alpha1, beta2, gamma2, delta2. */
const FIXED_WORDS = 14;

/** A proof in the contract's order of coordinates. */
export interface ProofWords {
  readonly a: readonly [string, string];
  readonly b: readonly [readonly [string, string], readonly [string, string]];
  readonly c: readonly [string, string];
}

function coordinate(value: bigint): bigint {
  if (value >= Fp.ORDER) throw new RangeError('a coordinate is not below the base field order');
  return value;
}

function g1(x: bigint, y: bigint): G1Point {
  const point = G1.fromAffine({ x: coordinate(x), y: coordinate(y) });
  point.assertValidity();
  return point;
}

/** Coordinates as the contract has them: x.c1, x.c0, y.c1, y.c0. The check includes the subgroup. */
function g2(xc1: bigint, xc0: bigint, yc1: bigint, yc0: bigint): G2Point {
  const point = G2.fromAffine({
    x: Fp2.fromBigTuple([coordinate(xc0), coordinate(xc1)]),
    y: Fp2.fromBigTuple([coordinate(yc0), coordinate(yc1)]),
  });
  point.assertValidity();
  return point;
}

function holds(key: Uint8Array, { a, b, c }: ProofWords, signals: readonly bigint[]): boolean {
  const words = Array.from({ length: key.length / 32 }, (_, i) => bytesToBigInt(key.subarray(32 * i, 32 * i + 32)));
  if (key.length % 32 !== 0 || words.length !== FIXED_WORDS + 2 * (signals.length + 1)) {
    throw new RangeError('the key is for another number of signals');
  }
  const word = (i: number): bigint => words[i] ?? 0n;
  const at2 = (i: number): G2Point => g2(word(i), word(i + 1), word(i + 2), word(i + 3));
  const [first, ...rest] = Array.from({ length: signals.length + 1 }, (_, i) =>
    g1(word(FIXED_WORDS + 2 * i), word(FIXED_WORDS + 2 * i + 1)),
  );
  const input = mulAddUnsafe(G1, rest, [...signals]).add(first!);
  const big = (text: string): bigint => BigInt(text);
  const product = bn254.pairingBatch([
    { g1: g1(big(a[0]), big(a[1])).negate(), g2: g2(big(b[0][0]), big(b[0][1]), big(b[1][0]), big(b[1][1])) },
    { g1: g1(word(0), word(1)), g2: at2(2) },
    { g1: input, g2: at2(6) },
    { g1: g1(big(c[0]), big(c[1])), g2: at2(10) },
  ]);
  return Fp12.eql(product, Fp12.ONE);
}

/**
 * Verifies a proof and returns the signals it holds for. Does not check that the key is the right one: settlementFamily and publicModelFromWire say whose it is.
 * @throws `STUN_PROOF_INVALID`
 */
export function verifyProof(key: Uint8Array, proof: ProofWords, signals: readonly bigint[]): readonly bigint[] {
  let valid: boolean;
  try {
    valid = signals.every((signal) => signal >= 0n && signal < FIELD_ORDER) && holds(key, proof, signals);
  } catch (cause) {
    throw new StunError('STUN_PROOF_INVALID', 'the proof or its key is malformed', { cause });
  }
  if (!valid) throw new StunError('STUN_PROOF_INVALID', 'the proof does not hold for these public signals');
  return signals;
}

/** Public signals that a key is for. Nothing for bytes that are no key: verifyProof refuses those. */
export function signalCountOf(key: Uint8Array): number {
  return (key.length / 32 - FIXED_WORDS) / 2 - 1;
}

/** The family that a key stands for: keccak256(abi.encode("stun/family/settlement/v1", maxJobs, sha256(key))). */
export function settlementFamily(maxJobs: number, key: Uint8Array): Hex {
  const name = utf8('stun/family/settlement/v1');
  const padded = new Uint8Array(32);
  padded.set(name);
  const word = (value: number): Uint8Array => bigIntToBytes(BigInt(value), 32);
  return toHex(keccak_256(concatBytes(word(96), word(maxJobs), sha256(key), word(name.length), padded)));
}
