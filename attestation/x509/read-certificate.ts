/**
 * The walk through an X.509 v3 certificate that all profiles share; algorithms and keys are the profile's.
 *
 * Parses only. Spec: RFC 5280, section 4.1.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { readBitString, readFlag, readIntegerHex, readNamedBits, readOid, readSmallInteger } from '../asn1/der-values.ts';
import type { Extension, Name } from './extension.ts';
import { oid, readAuthorityKeyId, readExtensions, readName } from './extension.ts';

/** How the certificates of one vendor differ. Each reader throws when it finds anything else. */
export interface CertificateProfile<Key> {
  /** Reads the AlgorithmIdentifier of the signature, which stands in two places. */
  readonly readAlgorithm: (reader: DerReader) => void;
  /** Reads the signature's BIT STRING. */
  readonly readSignature: (reader: DerReader) => Uint8Array;
  /** Reads the SubjectPublicKeyInfo. */
  readonly readKey: (reader: DerReader) => Key;
  readonly readKeyUsage: (extension: Extension | undefined) => ReadonlySet<number>;
  readonly readTime: (reader: DerReader) => number;
  /** Extensions that may be critical: the caller understands them. */
  readonly known: readonly string[];
}

/** A certificate as it was read. */
export interface CertificateParts<Key> {
  readonly raw: Uint8Array;
  /** The signed bytes. */
  readonly tbs: Uint8Array;
  /** Content octets of the serial INTEGER, lower-case hex without `0x`. */
  readonly serialHex: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBeforeUnix: number;
  readonly notAfterUnix: number;
  readonly key: Key;
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

const code = 'STUN_CERTIFICATE_FORMAT';

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

/**
 * Reads one certificate of a profile.
 * @param bytes - DER, exactly one certificate
 * @throws `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT`, and what the profile throws
 */
export function readCertificate<Key>(bytes: Uint8Array, profile: CertificateProfile<Key>): CertificateParts<Key> {
  const outer = new DerReader(bytes);
  const certificate = outer.enter(derTag.sequence);
  outer.end();
  const tbsElement = certificate.read(derTag.sequence);
  profile.readAlgorithm(certificate);
  const signature = profile.readSignature(certificate);
  certificate.end();

  const tbs = certificate.inside(tbsElement.content);
  const version = tbs.enter(0xa0);
  if (readSmallInteger(version) !== 2) refuse('expected X.509 version 3');
  version.end();
  const serialHex = readIntegerHex(tbs);
  if (serialHex.length > 42) refuse('expected a serial number of at most 21 bytes');
  profile.readAlgorithm(tbs);
  const issuer = readName(tbs, code);
  const validity = tbs.enter(derTag.sequence);
  const notBeforeUnix = profile.readTime(validity);
  const notAfterUnix = profile.readTime(validity);
  validity.end();
  const subject = readName(tbs, code);
  const key = profile.readKey(tbs);
  const wrapper = tbs.enter(0xa3);
  const extensions = readExtensions(wrapper, profile.known, code);
  wrapper.end();
  tbs.end();

  return Object.freeze({
    raw: bytes,
    tbs: tbsElement.raw,
    serialHex,
    issuer,
    subject,
    notBeforeUnix,
    notAfterUnix,
    key,
    signature,
    ...readBasicConstraints(extensions.get(oid.basicConstraints)),
    keyUsage: profile.readKeyUsage(extensions.get(oid.keyUsage)),
    authorityKeyId: readAuthorityKeyId(extensions.get(oid.authorityKeyIdentifier)),
    subjectKeyId: readSubjectKeyId(extensions.get(oid.subjectKeyIdentifier)),
    extensions,
  });
}

/**
 * Reads the SubjectPublicKeyInfo of an elliptic curve key.
 * @param curve - OID of the curve
 * @param length - of the point in bytes
 * @returns the SEC1 uncompressed point
 * @throws `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT`
 */
export function readEcKey(tbs: DerReader, curve: string, length: number): Uint8Array {
  const info = tbs.enter(derTag.sequence);
  const algorithm = info.enter(derTag.sequence);
  if (readOid(algorithm) !== oid.ecPublicKey || readOid(algorithm) !== curve) refuse(`expected a public key of curve ${curve}`);
  algorithm.end();
  const point = readBitString(info);
  info.end();
  if (point.length !== length || point[0] !== 4) refuse(`expected an uncompressed point of ${length} bytes`);
  return point;
}

/** Reads keyUsage as a set of bit numbers; empty when it is absent. */
export function readKeyUsage(extension: Extension | undefined): ReadonlySet<number> {
  if (extension === undefined) return new Set();
  const reader = new DerReader(extension.value);
  const bits = readNamedBits(reader);
  reader.end();
  return bits;
}

/** Reads basicConstraints; absent means no authority. */
function readBasicConstraints(extension: Extension | undefined): { isCa: boolean; pathLength: number | null } {
  if (extension === undefined) return { isCa: false, pathLength: null };
  const outer = new DerReader(extension.value);
  const body = outer.enter(derTag.sequence);
  outer.end();
  const isCa = readFlag(body);
  const pathLength = isCa && body.peek() !== null ? readSmallInteger(body) : null;
  body.end();
  return { isCa, pathLength };
}

function readSubjectKeyId(extension: Extension | undefined): string | null {
  if (extension === undefined) return null;
  const reader = new DerReader(extension.value);
  const id = toHex(reader.read(derTag.octetString).content);
  reader.end();
  return id;
}
