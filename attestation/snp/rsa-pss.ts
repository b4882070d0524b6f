/**
 * The one signature algorithm of AMD's certificates and CRLs: RSASSA-PSS with SHA-384, MGF1 with SHA-384, 48 bytes of salt.
 * Spec: RFC 4055, section 3.1; RFC 8017, section 8.1.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { DerReader } from '../asn1/der.ts';
import { derTag } from '../asn1/der.ts';
import { readBitString, readOid, readSmallInteger } from '../asn1/der-values.ts';

/** Length of a signature by a key of 4,096 bits. */
export const amdSignatureBytes = 512;

export const amdOid = {
  rsassaPss: '1.2.840.113549.1.1.10',
  mgf1: '1.2.840.113549.1.1.8',
  sha384: '2.16.840.1.101.3.4.2.2',
  rsaEncryption: '1.2.840.113549.1.1.1',
} as const;

const nullTag = 0x05;

/** A NULL, which RFC 4055, section 2.1, lets writers leave out after the identifier of a hash. */
function readOptionalNull(reader: DerReader): void {
  if (reader.peek() === nullTag) reader.read(nullTag);
  reader.end();
}

/** Reads the AlgorithmIdentifier that must be RSASSA-PSS with exactly these parameters. @throws `code` | `STUN_DER_FORMAT` */
export function readRsaPssSha384(reader: DerReader, code: ErrorCode): void {
  const expect = (found: string | number, wanted: string | number): void => {
    if (found !== wanted) throw new StunError(code, `expected RSASSA-PSS with SHA-384 and 48 bytes of salt, got ${found}`);
  };
  const algorithm = reader.enter(derTag.sequence);
  expect(readOid(algorithm), amdOid.rsassaPss);
  const parameters = algorithm.enter(derTag.sequence);
  algorithm.end();

  const hashWrapper = parameters.enter(0xa0);
  const hash = hashWrapper.enter(derTag.sequence);
  hashWrapper.end();
  expect(readOid(hash), amdOid.sha384);
  readOptionalNull(hash);

  const maskWrapper = parameters.enter(0xa1);
  const mask = maskWrapper.enter(derTag.sequence);
  maskWrapper.end();
  expect(readOid(mask), amdOid.mgf1);
  const maskHash = mask.enter(derTag.sequence);
  mask.end();
  expect(readOid(maskHash), amdOid.sha384);
  readOptionalNull(maskHash);

  const salt = parameters.enter(0xa2);
  expect(readSmallInteger(salt), 48);
  salt.end();
  // DER leaves the default out; AMD's own certificates write it down.
  if (parameters.peek() === 0xa3) {
    const trailer = parameters.enter(0xa3);
    expect(readSmallInteger(trailer), 1);
    trailer.end();
  }
  parameters.end();
}

/** Reads a signature by a key of 4,096 bits. */
export function readAmdSignature(reader: DerReader, code: ErrorCode): Uint8Array {
  const signature = readBitString(reader);
  if (signature.length !== amdSignatureBytes)
    throw new StunError(code, `expected a signature of ${amdSignatureBytes} bytes, got ${signature.length}`);
  return signature;
}
