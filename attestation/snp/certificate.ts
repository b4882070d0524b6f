/**
 * X.509 v3 certificates of AMD's profile: ARK, ASK and ASVK with RSA keys of 4,096 bits, VCEK and VLEK with P-384 keys, all signed
 * with RSASSA-PSS. Parses only; `verify.ts` holds them against each other.
 * Spec: RFC 5280, section 4; "VCEK Certificate and KDS Interface Specification" (AMD 57230).
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { bitNumbers, readBitString, readIntegerHex, readOid, readSmallInteger, readTime } from '../asn1/der-values.ts';
import type { Extension } from '../x509/extension.ts';
import { oid } from '../x509/extension.ts';
import type { CertificateParts, CertificateProfile } from '../x509/read-certificate.ts';
import { readCertificate } from '../x509/read-certificate.ts';
import { amdOid, readAmdSignature, readRsaPssSha384 } from './rsa-pss.ts';

/** The key of a certificate. */
export type AmdKey =
  | { readonly kind: 'rsa'; /** SubjectPublicKeyInfo, DER. */ readonly spki: Uint8Array }
  | { readonly kind: 'p384'; /** SEC1 uncompressed point, 97 bytes. */ readonly point: Uint8Array };

/**
 * A parsed certificate; its signature is RSASSA-PSS, 512 bytes. AMD gives every VCEK and VLEK the serial 0 and no keyUsage.
 */
export type AmdCertificate = CertificateParts<AmdKey>;

const code = 'STUN_CERTIFICATE_FORMAT';

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

const profile: CertificateProfile<AmdKey> = {
  readAlgorithm: (reader) => readRsaPssSha384(reader, code),
  readSignature: (reader) => readAmdSignature(reader, code),
  readKey,
  readKeyUsage,
  readTime,
  known: [oid.basicConstraints, oid.keyUsage],
};

/**
 * Parses one certificate.
 * @param bytes - DER, exactly one certificate
 * @throws `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT`
 */
export function parseAmdCertificate(bytes: Uint8Array): AmdCertificate {
  return readCertificate(bytes, profile);
}

function readKey(tbs: DerReader): AmdKey {
  const element = tbs.read(derTag.sequence);
  const info = tbs.inside(element.content);
  const algorithm = info.enter(derTag.sequence);
  const kind = readOid(algorithm);
  if (kind === amdOid.rsaEncryption) {
    algorithm.read(0x05);
    algorithm.end();
    checkRsaKey(readBitString(info));
    info.end();
    return Object.freeze({ kind: 'rsa', spki: element.raw });
  }
  if (kind !== oid.ecPublicKey || readOid(algorithm) !== oid.secp384r1) refuse('expected an RSA or a P-384 public key');
  algorithm.end();
  const point = readBitString(info);
  info.end();
  if (point.length !== 97 || point[0] !== 4) refuse('expected an uncompressed point of 97 bytes');
  return Object.freeze({ kind: 'p384', point });
}

/**
 * KeyUsage as bit numbers. AMD's ASKs end the list with a zero bit, which DER leaves out; the bits that count are the same.
 * Spec: RFC 5280, section 4.2.1.3.
 */
function readKeyUsage(extension: Extension | undefined): ReadonlySet<number> {
  if (extension === undefined) return new Set();
  const reader = new DerReader(extension.value);
  const [unused = 8, byte = 0, ...more] = reader.read(derTag.bitString).content;
  reader.end();
  if (more.length > 0 || unused > 7 || (byte & ((1 << unused) - 1)) !== 0) refuse('expected a keyUsage of one byte');
  return bitNumbers(Uint8Array.of(byte));
}

/** Only keys of exactly 4,096 bits with the exponent 65537 are AMD's. */
function checkRsaKey(bytes: Uint8Array): void {
  const outer = new DerReader(bytes);
  const key = outer.enter(derTag.sequence);
  outer.end();
  const modulus = readIntegerHex(key);
  if (modulus.length !== 1026 || !/^00[89a-f]/.test(modulus)) refuse('expected an RSA modulus of 4096 bits');
  if (readSmallInteger(key) !== 65_537) refuse('expected the RSA exponent 65537');
  key.end();
}
