/**
 * EdDSA over BabyJubJub with Poseidon, the signature that the settlement circuit checks.
 *
 * Verification equation, cofactored and as circomlib's EdDSAPoseidonVerifier has it: S·Base8 = R8 + 8·h·A with
 * h = Poseidon(R8.x, R8.y, A.x, A.y, M). Nothing is a signature that the circuit cannot take: R8 is not the identity, and h and S
 * are below r and l by their leading 64 bits. Keys are uniform scalars, not derived from a seed; the nonce is hedged: a hash of the
 * secret, the message and fresh randomness.
 */
import { sha512 } from '@noble/hashes/sha2.js';
import { assertPublicKey, BASE8, curvePoint, SUBGROUP_ORDER, toJubPoint, type JubPoint } from './babyjub.ts';
import { bigIntToBytes, bytesToBigInt, concatBytes, utf8 } from './bytes.ts';
import { StunError } from './errors/stun-error.ts';
import { assertField, FIELD_ORDER } from './field.ts';
import { poseidon } from './poseidon.ts';
import { TAG } from './tags.ts';

/** A signature; R8 is a curve point, not the identity; S is below l by its leading 64 bits. */
export interface EddsaSignature {
  readonly r8: JubPoint;
  readonly s: bigint;
}

/** A key pair; the secret is a scalar in 1..l-1. */
export interface EddsaKeyPair {
  readonly secret: bigint;
  readonly publicKey: JubPoint;
}

/** r and l with all but their leading 64 bits, of 254 and of 251, cleared. */
const CHALLENGE_LIMIT = (FIELD_ORDER >> 190n) << 190n;
const RESPONSE_LIMIT = (SUBGROUP_ORDER >> 187n) << 187n;

/**
 * Whether the leading 64 bits of a challenge are below those of r, and those of a response below those of l: so the circuit tells
 * h from h + r and S from S + l (circuits/lib/signature.circom). It fails for one honest signature in 2^63, so signers do not ask.
 * @param h - below r
 * @param s - any integer; a negative one is refused
 */
export function isProvable(h: bigint, s: bigint): boolean {
  return h < CHALLENGE_LIMIT && s >= 0n && s < RESPONSE_LIMIT;
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
 * Checks the key (curve, subgroup, not the identity), R8 (curve, not the identity), S and h ({@link isProvable}) and the equation.
 * @throws `STUN_KEY_*` for the key, `STUN_SIGNATURE` for the rest
 */
export function verifyEddsa(publicKey: JubPoint, message: bigint, signature: EddsaSignature, what: string): bigint {
  const key = assertPublicKey(publicKey, `the key of ${what}`);
  assertField(message, 'message');
  let r8;
  try {
    r8 = curvePoint(signature.r8, `R8 of ${what}`);
  } catch (cause) {
    throw new StunError('STUN_SIGNATURE', `${what}: R8 must be a curve point`, { cause });
  }
  if (r8.is0()) throw new StunError('STUN_SIGNATURE', `${what}: R8 must not be the identity`);
  const h = challenge(signature.r8, publicKey, message);
  if (!isProvable(h, signature.s)) {
    throw new StunError('STUN_SIGNATURE', `${what}: S and the challenge must be below l and r by their leading 64 bits`);
  }
  // s = 0 and h = 0 are legal but the library refuses a zero scalar, so it takes the unsafe path (all inputs are public).
  const left = BASE8.multiplyUnsafe(signature.s);
  const right = r8.add(key.multiplyUnsafe((8n * h) % SUBGROUP_ORDER));
  if (!left.equals(right)) throw new StunError('STUN_SIGNATURE', `${what} does not verify under the given key`);
  return message;
}
