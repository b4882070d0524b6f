/** Names and extensions, shared by certificates and CRLs. Spec: RFC 5280, sections 4.1.2.4 and 4.2. */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { readFlag, readOid } from '../asn1/der-values.ts';

/** Object identifiers that are understood. */
export const oid = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecPublicKey: '1.2.840.10045.2.1',
  prime256v1: '1.2.840.10045.3.1.7',
  secp384r1: '1.3.132.0.34',
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  sgx: '1.2.840.113741.1.13.1',
} as const;

/** A name: its exact encoding (names are compared by it) and its one common name. */
export interface Name {
  readonly raw: Uint8Array;
  readonly commonName: string;
}

/** Reads a Name with exactly one commonName. */
export function readName(reader: DerReader, code: ErrorCode): Name {
  const element = reader.read(derTag.sequence);
  let commonName: string | null = null;
  const names = reader.inside(element.content);
  for (const set of names.rest(derTag.set)) {
    const pair = set.enter(derTag.sequence);
    const type = readOid(pair);
    const tag = pair.peek();
    if (tag !== derTag.utf8String && tag !== derTag.printableString && tag !== derTag.ia5String) {
      throw new StunError(code, 'expected names as UTF8String, PrintableString or IA5String');
    }
    const text = new TextDecoder().decode(pair.read(tag).content);
    pair.end();
    set.end();
    if (type !== oid.commonName) continue;
    if (commonName !== null) throw new StunError(code, 'expected one common name, got two');
    commonName = text;
  }
  if (commonName === null) throw new StunError(code, 'expected a common name, got none');
  return { raw: element.raw, commonName };
}

function readEcdsaWith(hash: 'Sha256' | 'Sha384', reader: DerReader, code: ErrorCode): void {
  const algorithm = reader.enter(derTag.sequence);
  const found = readOid(algorithm);
  if (found !== oid[`ecdsaWith${hash}`]) throw new StunError(code, `expected ecdsa-with-${hash.toUpperCase()}, got ${found}`);
  algorithm.end();
}

/** Reads the AlgorithmIdentifier that must be ecdsa-with-SHA256 without parameters. */
export function readEcdsaWithSha256(reader: DerReader, code: ErrorCode): void {
  readEcdsaWith('Sha256', reader, code);
}

/** Reads the AlgorithmIdentifier that must be ecdsa-with-SHA384 without parameters. */
export function readEcdsaWithSha384(reader: DerReader, code: ErrorCode): void {
  readEcdsaWith('Sha384', reader, code);
}

/** An extension's value with its criticality. */
export interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/**
 * Reads a SEQUENCE OF Extension.
 * @param known - the extensions that the caller understands: a critical one outside is refused
 * @param code - code for a repeated or unknown critical extension
 */
export function readExtensions(reader: DerReader, known: readonly string[], code: ErrorCode): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  const list = reader.enter(derTag.sequence);
  for (const entry of list.rest(derTag.sequence)) {
    const id = readOid(entry);
    const critical = readFlag(entry);
    const value = entry.read(derTag.octetString).content;
    entry.end();
    if (extensions.has(id)) throw new StunError(code, `expected extension ${id} once`);
    if (critical && !known.includes(id)) throw new StunError(code, `expected no critical extension that is unknown, got ${id}`);
    extensions.set(id, { critical, value });
  }
  return extensions;
}

/** The keyIdentifier of an AuthorityKeyIdentifier, lower-case hex, or null without one. */
export function readAuthorityKeyId(extension: Extension | undefined): string | null {
  if (extension === undefined) return null;
  const outer = new DerReader(extension.value);
  const body = outer.enter(derTag.sequence);
  outer.end();
  const tag = body.peek();
  return tag === 0x80 ? toHex(body.read(0x80).content) : null;
}
