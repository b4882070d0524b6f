/**
 * The primitives that verification needs. Everything else in `attestation/` is plain arithmetic on bytes.
 *
 * Which implementation is bound is decided when the program is resolved, by the condition of `#crypto-provider` in package.json:
 * `node-provider.ts` where the `node` condition holds, `noble-provider.ts` everywhere else. Nothing can exchange it at run time.
 * Why: docs/adr/0012-one-crypto-provider.md.
 */
import { platformProvider } from '#crypto-provider';

export interface CryptoProvider {
  /** SHA-256 over the parts, one after the other: 32 bytes. */
  readonly sha256: (...parts: readonly Uint8Array[]) => Uint8Array;
  /** SHA-384: 48 bytes. */
  readonly sha384: (message: Uint8Array) => Uint8Array;
  /**
   * ECDSA with P-256 and SHA-256.
   * @param message - the signed bytes, not their digest
   * @param signature - raw r||s, 64 bytes, big-endian
   * @param publicKey - SEC1 uncompressed point, 65 bytes
   * @returns false for any wrong signature, and for a key that is not a point of the curve; never throws
   */
  readonly verifyP256: (message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) => boolean;
  /**
   * ECDSA with P-384 and SHA-384; `signature` has 96 bytes, `publicKey` 97, else as {@link CryptoProvider.verifyP256}.
   */
  readonly verifyP384: (message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) => boolean;
  /**
   * RSASSA-PSS with SHA-384, MGF1 with SHA-384 and 48 bytes of salt. Spec: RFC 8017, section 8.1.
   * @param publicKey - SubjectPublicKeyInfo of an RSA key (rsaEncryption), DER
   * @returns false for any wrong signature or key; never throws
   */
  readonly verifyRsaPssSha384: (message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) => boolean;
}

/** The provider of this platform. */
export const cryptoProvider: CryptoProvider = platformProvider;
