/**
 * X.509 v3 certificates of NVIDIA's profile, of devices as of reference values: P-384 keys, ECDSA with SHA-384. NVIDIA writes years
 * before 2050 as GeneralizedTime too.
 *
 * Parses only. Spec: RFC 5280, section 4.
 */
import { parseEcdsaSignature, readAnyTime, readBitString } from '../asn1/der-values.ts';
import { oid, readEcdsaWithSha384 } from '../x509/extension.ts';
import type { CertificateParts, CertificateProfile } from '../x509/read-certificate.ts';
import { readCertificate, readEcKey, readKeyUsage } from '../x509/read-certificate.ts';

/** A parsed certificate: its key is a SEC1 uncompressed P-384 point of 97 bytes, its signature raw r||s of 96 bytes. */
export type NvidiaCertificate = CertificateParts<Uint8Array>;

const profile: CertificateProfile<Uint8Array> = {
  readAlgorithm: (reader) => readEcdsaWithSha384(reader, 'STUN_CERTIFICATE_FORMAT'),
  readSignature: (reader) => parseEcdsaSignature(readBitString(reader), 48),
  readKey: (reader) => readEcKey(reader, oid.secp384r1, 97),
  readKeyUsage,
  readTime: readAnyTime,
  known: [oid.basicConstraints, oid.keyUsage],
};

/**
 * Parses one certificate.
 * @param bytes - DER, exactly one certificate
 * @throws `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT`
 */
export function parseNvidiaCertificate(bytes: Uint8Array): NvidiaCertificate {
  return readCertificate(bytes, profile);
}

const responderProfile: CertificateProfile<Uint8Array> = { ...profile, known: [...profile.known, oid.extendedKeyUsage] };

/** As {@link parseNvidiaCertificate}, for an OCSP responder, which may say critically what its key is for. */
export function parseOcspResponder(bytes: Uint8Array): NvidiaCertificate {
  return readCertificate(bytes, responderProfile);
}
