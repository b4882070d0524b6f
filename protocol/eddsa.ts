/**
 * EdDSA over BabyJubJub with Poseidon, the signature that the settlement circuit checks.
 *
 * Verification equation, cofactored and as circomlib's EdDSAPoseidonVerifier has it: S·Base8 = R8 + 8·h·A with
 * h = Poseidon(R8.x, R8.y, A.x, A.y, M). Keys are uniform scalars, not derived from a seed; the nonce is hedged: a hash of the
 * secret, the message and fresh randomness.
 */
import { sha512 } from '@noble/hashes/sha2.js';
import { assertPublicKey, BASE8, curvePoint, SUBGROUP_ORDER, toJubPoint, type JubPoint } from './babyjub.ts';
import { bigIntToBytes, bytesToBigInt, concatBytes, utf8 } from './bytes.ts';
import { StunError } from './errors/stun-error.ts';
import { assertField } from './field.ts';
import { poseidon } from './poseidon.ts';
import { TAG } from './tags.ts';

/** A signature; R8 is a curve point, S is in 0..l-1. */
export interface EddsaSignature {
  readonly r8: JubPoint;
  readonly s: bigint;
}

/** A key pair; the secret is a scalar in 1..l-1. */
export interface EddsaKeyPair {
  readonly secret: bigint;
  readonly publicKey: JubPoint;
}

/** Fills a buffer from the platform's CSPRNG. */
function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/** A uniform scalar in 1..l-1 from 64 bytes; the bias is below 2^-250. */
function scalarFrom(bytes: Uint8Array): bigint {
  return (bytesToBigInt(bytes) % (SUBGROUP_ORDER - 1n)) + 1n;
}

/** The public key of a secret scalar. */
export function eddsaPublicKey(secret: bigint): JubPoint {
  if (secret <= 0n || secret >= SUBGROUP_ORDER) throw new StunError('STUN_RANGE', 'a secret scalar must be in 1..l-1');
  return toJubPoint(BASE8.multiply(secret));
}

/** A fresh key pair from the CSPRNG. */
export function generateEddsaKeyPair(): EddsaKeyPair {
  const secret = scalarFrom(randomBytes(64));
  return { secret, publicKey: eddsaPublicKey(secret) };
}

function challenge(r8: JubPoint, key: JubPoint, message: bigint): bigint {
  return poseidon(TAG.challenge, [r8.x, r8.y, key.x, key.y, message]);
}

/**
 * Signs a field element.
 * @param pair - the key pair
 * @param message - the signed field element, a tagged hash
 */
export function signEddsa(pair: EddsaKeyPair, message: bigint): EddsaSignature {
  assertField(message, 'message');
  const secretBytes = bigIntToBytes(pair.secret, 32);
  const nonceBytes = sha512(concatBytes(utf8('stun/eddsa-nonce/v1'), secretBytes, bigIntToBytes(message, 32), randomBytes(32)));
  const nonce = scalarFrom(nonceBytes);
  const r8 = toJubPoint(BASE8.multiply(nonce));
  const h = challenge(r8, pair.publicKey, message);
  return { r8, s: (nonce + 8n * h * pair.secret) % SUBGROUP_ORDER };
}

/**
 * Verifies a signature and returns the message it covers.
 * Checks the key (curve, subgroup, not the identity), R8 on the curve, S < l and the equation.
 * @throws `STUN_KEY_*` for the key, `STUN_SIGNATURE` for the rest
 */
export function verifyEddsa(publicKey: JubPoint, message: bigint, signature: EddsaSignature, what: string): bigint {
  const key = assertPublicKey(publicKey, `the key of ${what}`);
  assertField(message, 'message');
  if (signature.s < 0n || signature.s >= SUBGROUP_ORDER) throw new StunError('STUN_SIGNATURE', `${what}: S must be below l`);
  let r8;
  try {
    r8 = curvePoint(signature.r8, `R8 of ${what}`);
  } catch (cause) {
    throw new StunError('STUN_SIGNATURE', `${what}: R8 must be a curve point`, { cause });
  }
  const h = (8n * challenge(signature.r8, publicKey, message)) % SUBGROUP_ORDER;
  // s = 0 and h = 0 are legal but the library refuses a zero scalar, so it takes the unsafe path (all inputs are public).
  const left = BASE8.multiplyUnsafe(signature.s);
  const right = r8.add(key.multiplyUnsafe(h));
  if (!left.equals(right)) throw new StunError('STUN_SIGNATURE', `${what} does not verify under the given key`);
  return message;
}
