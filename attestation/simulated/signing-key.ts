/**
 * P-256 keys of simulated hardware, derived from a seed; signatures are deterministic (RFC 6979), so that one seed and one
 * time give one quote, byte for byte.
 */
import { p256 } from '@noble/curves/nist.js';
import { concatBytes, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';

/** A key that signs. The secret stays inside. */
export interface SigningKey {
  /** SEC1 uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** ECDSA with SHA-256: raw r||s, 64 bytes, big-endian. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Derives a key from a seed and a label: SHA-256 over both and a counter, taken when it is a valid scalar. */
export function deriveSigningKey(seed: Uint8Array, label: string): SigningKey {
  for (let counter = 0; ; counter++) {
    const secret = cryptoProvider.sha256(concatBytes(utf8('stun/simulated-key/v1'), seed, Uint8Array.of(counter), utf8(label)));
    if (!p256.utils.isValidSecretKey(secret)) continue;
    return Object.freeze({
      publicKey: p256.getPublicKey(secret, false),
      sign: (message: Uint8Array) => p256.sign(message, secret, { lowS: false }),
    });
  }
}
