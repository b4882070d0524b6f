/**
 * X.509 v3 certificates of the one profile that Intel's SGX and TDX chains use: P-256 keys, ECDSA with SHA-256.
 *
 * Parses only. Signatures, names against each other, validity and constraints: `chain.ts`.
 * Spec: RFC 5280, section 4; "SGX PCK Certificate and Certificate Revocation List Profile Specification" (Intel).
 */
import { parseEcdsaSignature, readBitString, readTime } from '../asn1/der-values.ts';
import { oid, readEcdsaWithSha256 } from './extension.ts';
import type { CertificateParts, CertificateProfile } from './read-certificate.ts';
import { readCertificate, readEcKey, readKeyUsage } from './read-certificate.ts';

/** KeyUsage bits. Spec: RFC 5280, section 4.2.1.3. */
export const keyUsageBit = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const;

/** A parsed certificate; its signature is raw r||s, 64 bytes, big-endian. */
export interface Certificate extends Omit<CertificateParts<Uint8Array>, 'key'> {
  /** SEC1 uncompressed P-256 point, 65 bytes. */
  readonly publicKey: Uint8Array;
}

const profile: CertificateProfile<Uint8Array> = {
  readAlgorithm: (reader) => readEcdsaWithSha256(reader, 'STUN_CERTIFICATE_FORMAT'),
  readSignature: (reader) => parseEcdsaSignature(readBitString(reader)),
  readKey: (reader) => readEcKey(reader, oid.prime256v1, 65),
  readKeyUsage,
  readTime,
  known: [oid.basicConstraints, oid.keyUsage],
};

/**
 * Parses one certificate.
 * @param bytes - DER, exactly one certificate
 * @throws `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT`
 */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const { key, ...parts } = readCertificate(bytes, profile);
  return { ...parts, publicKey: key };
}
