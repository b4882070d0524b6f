/**
 * X.509 v3 certificates of the one profile that Intel's SGX and TDX chains use: P-256 keys, ECDSA with SHA-256.
 *
 * Parses only. Signatures, names against each other, validity and constraints: `chain.ts`.
 * Spec: RFC 5280, section 4; "SGX PCK Certificate and Certificate Revocation List Profile Specification" (Intel).
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import {
  parseEcdsaSignature,
  readBitString,
  readFlag,
  readIntegerHex,
  readNamedBits,
  readOid,
  readSmallInteger,
  readTime,
} from '../asn1/der-values.ts';
import type { Extension, Name } from './extension.ts';
import { oid, readAuthorityKeyId, readEcdsaWithSha256, readExtensions, readName } from './extension.ts';

/** KeyUsage bits. Spec: RFC 5280, section 4.2.1.3. */
export const keyUsageBit = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const;

/** A parsed certificate. */
export interface Certificate {
  readonly raw: Uint8Array;
  /** The signed bytes. */
  readonly tbs: Uint8Array;
  /** Content octets of the serial INTEGER, lower-case hex without `0x`. */
  readonly serialHex: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBeforeUnix: number;
  readonly notAfterUnix: number;
  /** SEC1 uncompressed P-256 point, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** Raw r||s, 64 bytes, big-endian. */
  readonly signature: Uint8Array;
  readonly isCa: boolean;
  /** pathLenConstraint, null when there is none. */
  readonly pathLength: number | null;
  /** KeyUsage bit numbers; empty when the extension is absent. */
  readonly keyUsage: ReadonlySet<number>;
  readonly authorityKeyId: string | null;
  readonly subjectKeyId: string | null;
  readonly extensions: ReadonlyMap<string, Extension>;
}

function refuse(reason: string): never {
  throw new StunError('STUN_CERTIFICATE_FORMAT', reason);
}

/**
 * Parses one certificate.
 * @param bytes - DER, exactly one certificate
 * @throws `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT`
 */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const outer = new DerReader(bytes);
  const certificate = outer.enter(derTag.sequence);
  outer.end();
  const tbsElement = certificate.read(derTag.sequence);
  readEcdsaWithSha256(certificate, 'STUN_CERTIFICATE_FORMAT');
  const signature = parseEcdsaSignature(readBitString(certificate));
  certificate.end();

  const tbs = certificate.inside(tbsElement.content);
  const version = tbs.enter(0xa0);
  if (readSmallInteger(version) !== 2) refuse('expected X.509 version 3');
  version.end();
  const serialHex = readIntegerHex(tbs);
  if (serialHex.length > 42) refuse('expected a serial number of at most 21 bytes');
  readEcdsaWithSha256(tbs, 'STUN_CERTIFICATE_FORMAT');
  const issuer = readName(tbs, 'STUN_CERTIFICATE_FORMAT');
  const validity = tbs.enter(derTag.sequence);
  const notBeforeUnix = readTime(validity);
  const notAfterUnix = readTime(validity);
  validity.end();
  const subject = readName(tbs, 'STUN_CERTIFICATE_FORMAT');
  const publicKey = readP256Key(tbs);
  const wrapper = tbs.enter(0xa3);
  const extensions = readExtensions(wrapper, [oid.basicConstraints, oid.keyUsage], 'STUN_CERTIFICATE_FORMAT');
  wrapper.end();
  tbs.end();

  return {
    raw: bytes,
    tbs: tbsElement.raw,
    serialHex,
    issuer,
    subject,
    notBeforeUnix,
    notAfterUnix,
    publicKey,
    signature,
    ...readBasicConstraints(extensions.get(oid.basicConstraints)),
    keyUsage: readKeyUsage(extensions.get(oid.keyUsage)),
    authorityKeyId: readAuthorityKeyId(extensions.get(oid.authorityKeyIdentifier)),
    subjectKeyId: readSubjectKeyId(extensions.get(oid.subjectKeyIdentifier)),
    extensions,
  };
}

function readP256Key(tbs: DerReader): Uint8Array {
  const info = tbs.enter(derTag.sequence);
  const algorithm = info.enter(derTag.sequence);
  if (readOid(algorithm) !== oid.ecPublicKey || readOid(algorithm) !== oid.prime256v1) refuse('expected a P-256 public key');
  algorithm.end();
  const point = readBitString(info);
  info.end();
  if (point.length !== 65 || point[0] !== 4) refuse('expected an uncompressed point of 65 bytes');
  return point;
}

/** Reads basicConstraints; absent means no authority. */
export function readBasicConstraints(extension: Extension | undefined): { isCa: boolean; pathLength: number | null } {
  if (extension === undefined) return { isCa: false, pathLength: null };
  const outer = new DerReader(extension.value);
  const body = outer.enter(derTag.sequence);
  outer.end();
  const isCa = readFlag(body);
  const pathLength = isCa && body.peek() !== null ? readSmallInteger(body) : null;
  body.end();
  return { isCa, pathLength };
}

function readKeyUsage(extension: Extension | undefined): ReadonlySet<number> {
  if (extension === undefined) return new Set();
  const reader = new DerReader(extension.value);
  const bits = readNamedBits(reader);
  reader.end();
  return bits;
}

/** Reads the subject key identifier, `0x` hex, or null without one. */
export function readSubjectKeyId(extension: Extension | undefined): string | null {
  if (extension === undefined) return null;
  const reader = new DerReader(extension.value);
  const id = toHex(reader.read(derTag.octetString).content);
  reader.end();
  return id;
}
