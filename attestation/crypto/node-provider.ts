/** The crypto provider over node:crypto (OpenSSL). */
import { createHash, createPublicKey, verify } from 'node:crypto';

/** SubjectPublicKeyInfo of a P-256 key up to the point. Spec: RFC 5480, section 2. */
const spkiPrefix = Uint8Array.from(Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'));

export const nodeProvider = {
  sha256(...parts: readonly Uint8Array[]): Uint8Array {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  },

  verifyP256(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    if (signature.length !== 64 || publicKey.length !== 65 || publicKey[0] !== 4) return false;
    try {
      const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
      return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
    } catch {
      return false; // OpenSSL throws on a point that is not on the curve
    }
  },
} as const;
