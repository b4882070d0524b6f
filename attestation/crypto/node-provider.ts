/**
 * The crypto provider over node:crypto (OpenSSL).
 *
 * Imported keys are kept, a few at a time: a chain verifies several signatures with one key, and importing a key together with
 * its first use costs more than the verification itself.
 */
import { constants, createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** SubjectPublicKeyInfo of a P-256 and of a P-384 key up to the point. Spec: RFC 5480, section 2. */
const p256Prefix = Uint8Array.from(Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'));
const p384Prefix = Uint8Array.from(Buffer.from('3076301006072a8648ce3d020106052b81040022036200', 'hex'));
const none = new Uint8Array(0);
const maxKeptKeys = 32;
const kept = new Map<string, KeyObject>();

/** Imports a SubjectPublicKeyInfo, of a curve up to its point; OpenSSL throws when the point is not on the curve. */
function importKey(publicKey: Uint8Array, prefix: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('latin1');
  const known = kept.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.concat([prefix, publicKey]), format: 'der', type: 'spki' });
  const [oldest] = kept.keys();
  if (kept.size >= maxKeptKeys && oldest !== undefined) kept.delete(oldest);
  kept.set(name, key);
  return key;
}

/** An ECDSA-Sig-Value of raw r||s of at most 48 bytes each. Spec: RFC 3279, section 2.2.3. Node verifies it a third faster than the raw form. */
function derSignature(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  const der = new Uint8Array(raw.length + 8);
  der[0] = 0x30;
  let at = 2;
  for (const start of [0, half]) {
    let first = start;
    while (first < start + half - 1 && raw[first] === 0) first += 1;
    const sign = (raw[first] ?? 0) >= 0x80 ? 1 : 0;
    der[at] = 0x02;
    der[at + 1] = start + half - first + sign;
    der.set(raw.subarray(first, start + half), at + 2 + sign);
    at += 2 + (der[at + 1] ?? 0);
  }
  der[1] = at - 2;
  return der.subarray(0, at);
}

export const platformProvider = {
  sha256(...parts: readonly Uint8Array[]): Uint8Array {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  },

  sha384(message: Uint8Array): Uint8Array {
    return new Uint8Array(createHash('sha384').update(message).digest());
  },

  verifyP256(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    if (signature.length !== 64 || publicKey.length !== 65 || publicKey[0] !== 4) return false;
    try {
      return verify('sha256', message, importKey(publicKey, p256Prefix), derSignature(signature));
    } catch {
      return false;
    }
  },

  verifyP384(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    if (signature.length !== 96 || publicKey.length !== 97 || publicKey[0] !== 4) return false;
    try {
      return verify('sha384', message, importKey(publicKey, p384Prefix), derSignature(signature));
    } catch {
      return false;
    }
  },

  verifyRsaPssSha384(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    try {
      const key = importKey(publicKey, none);
      if (key.asymmetricKeyType !== 'rsa') return false;
      return verify('sha384', message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }, signature);
    } catch {
      return false;
    }
  },
} as const;
