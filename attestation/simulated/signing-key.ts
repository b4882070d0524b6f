/**
 * Keys of simulated hardware on P-256 and P-384, derived from a seed; signatures are deterministic (RFC 6979), so that one seed and one
 * time give one quote, byte for byte.
 */
import { p256, p384 } from '@noble/curves/nist.js';
import { concatBytes, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';

/** A key that signs. The secret stays inside. */
export interface SigningKey {
  /** SEC1 uncompressed point: 65 bytes on P-256, 97 on P-384. */
  readonly publicKey: Uint8Array;
  /** ECDSA with SHA-256 on P-256, with SHA-384 on P-384: raw r||s, 64 or 96 bytes, big-endian. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Derives a P-256 key from a seed and a label: SHA-256 over both and a counter, taken when it is a valid scalar. */
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

/** Derives a P-384 key from a seed and a label: SHA-384 over both and a counter, taken when it is a valid scalar. */
export function deriveP384SigningKey(seed: Uint8Array, label: string): SigningKey {
  for (let counter = 0; ; counter++) {
    const secret = cryptoProvider.sha384(
      concatBytes(utf8('stun/simulated-p384-key/v1'), seed, Uint8Array.of(counter), utf8(label)),
    );
    if (!p384.utils.isValidSecretKey(secret)) continue;
    return Object.freeze({
      publicKey: p384.getPublicKey(secret, false),
      sign: (message: Uint8Array) => p384.sign(message, secret, { lowS: false }),
    });
  }
}
