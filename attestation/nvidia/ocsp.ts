/**
 * OCSP responses of NVIDIA's service (ocsp.ndis.nvidia.com): one answer about one certificate, signed with ECDSA P-384 by a responder
 * whose certificate is in the response.
 *
 * Parses only; `verifyOcspResponse` in `ocsp-verification.ts` holds a response against a certificate.
 * Spec: RFC 6960, section 4.2.
 */
import { toHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import {
  parseEcdsaSignature,
  readAnyTime,
  readBitString,
  readIntegerHex,
  readOid,
  readSmallInteger,
} from '../asn1/der-values.ts';
import { readEcdsaWithSha384, readExtensions } from '../x509/extension.ts';
import type { NvidiaCertificate } from './certificate.ts';
import { parseOcspResponder } from './certificate.ts';

const ocspOid = { basic: '1.3.6.1.5.5.7.48.1.1', nonce: '1.3.6.1.5.5.7.48.1.2' } as const;
const hashOid: Readonly<Record<string, 'sha256' | 'sha384'>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
};

/** What a response says of its certificate. */
export type OcspStatus =
  | { readonly kind: 'good' }
  /** `reason` is a CRLReason, 6 is certificateHold; null when none is given. */
  | { readonly kind: 'revoked'; readonly atUnix: number; readonly reason: number | null }
  | { readonly kind: 'unknown' };

/** A parsed response. */
export interface OcspResponse {
  /** The signed bytes, ResponseData. */
  readonly tbs: Uint8Array;
  /** The responder's name (DER), or its key's identifier as `0x` hex. */
  readonly responderId: { readonly name: Uint8Array } | { readonly keyId: string };
  readonly producedAtUnix: number;
  /** Which certificate is spoken of: its serial, and digests of its issuer's name and key. */
  readonly certificateId: {
    readonly hash: 'sha256' | 'sha384';
    readonly issuerNameHash: Uint8Array;
    readonly issuerKeyHash: Uint8Array;
    /** Content octets of the serial INTEGER, lower-case hex without `0x`. */
    readonly serialHex: string;
  };
  readonly status: OcspStatus;
  readonly thisUpdateUnix: number;
  readonly nextUpdateUnix: number;
  /** The nonce extension's value as it stands there, `0x` hex; null without one. Whoever sent a nonce compares it. */
  readonly nonce: string | null;
  /** Raw r||s, 96 bytes. */
  readonly signature: Uint8Array;
  readonly responder: NvidiaCertificate;
}

const code = 'STUN_OCSP_FORMAT';

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

/**
 * Parses one response.
 * @param bytes - DER, exactly one OCSPResponse
 * @throws `STUN_DER_FORMAT` | `STUN_OCSP_FORMAT` | `STUN_CERTIFICATE_FORMAT`
 */
export function parseOcspResponse(bytes: Uint8Array): OcspResponse {
  const outer = new DerReader(Uint8Array.from(bytes)); // a copy: the caller's buffer may change later
  const response = outer.enter(derTag.sequence);
  outer.end();
  const answer = readSmallInteger(response, derTag.enumerated);
  if (answer !== 0) refuse(`expected a successful response (0), got ${answer}`);
  const wrapper = response.enter(0xa0);
  response.end();
  const typed = wrapper.enter(derTag.sequence);
  wrapper.end();
  const type = readOid(typed);
  if (type !== ocspOid.basic) refuse(`expected a basic response, got ${type}`);
  const inner = typed.inside(typed.read(derTag.octetString).content);
  typed.end();
  const basic = inner.enter(derTag.sequence);
  inner.end();
  const tbs = basic.read(derTag.sequence);
  readEcdsaWithSha384(basic, code);
  const signature = parseEcdsaSignature(readBitString(basic), 48);
  const certificates = basic.enter(0xa0).enter(derTag.sequence);
  const responder = parseOcspResponder(certificates.read(derTag.sequence).raw);
  certificates.end();
  basic.end();
  return Object.freeze({ tbs: tbs.raw, ...readResponseData(basic.inside(tbs.content)), signature, responder });
}

function readResponseData(data: DerReader): Omit<OcspResponse, 'tbs' | 'signature' | 'responder'> {
  const responderId =
    data.peek() === 0xa1
      ? { name: data.enter(0xa1).read(derTag.sequence).raw }
      : { keyId: toHex(data.enter(0xa2).read(derTag.octetString).content) };
  const producedAtUnix = readAnyTime(data);
  const answers = data.enter(derTag.sequence);
  const answer = readAnswer(answers.enter(derTag.sequence));
  answers.end();
  const nonce = data.peek() === null ? null : readNonce(data.enter(0xa1));
  data.end();
  return { responderId, producedAtUnix, ...answer, nonce };
}

type Answer = Pick<OcspResponse, 'certificateId' | 'status' | 'thisUpdateUnix' | 'nextUpdateUnix'>;

function readAnswer(answer: DerReader): Answer {
  const certificateId = readCertificateId(answer.enter(derTag.sequence));
  const status = readStatus(answer);
  const thisUpdateUnix = readAnyTime(answer);
  const next = answer.enter(0xa0); // optional in the standard; without it a response would stand forever
  const nextUpdateUnix = readAnyTime(next);
  next.end();
  answer.end();
  return { certificateId, status, thisUpdateUnix, nextUpdateUnix };
}

function readCertificateId(id: DerReader): OcspResponse['certificateId'] {
  const algorithm = id.enter(derTag.sequence);
  const name = readOid(algorithm);
  if (algorithm.peek() !== null && algorithm.read(0x05).content.length !== 0) refuse('expected an empty NULL');
  algorithm.end();
  const hash = hashOid[name] ?? refuse(`expected SHA-256 or SHA-384 in the certificate id, got ${name}`);
  const issuerNameHash = id.read(derTag.octetString).content;
  const issuerKeyHash = id.read(derTag.octetString).content;
  const serialHex = readIntegerHex(id);
  id.end();
  return { hash, issuerNameHash, issuerKeyHash, serialHex };
}

function readStatus(answer: DerReader): OcspStatus {
  const tag = answer.peek();
  if (tag === 0x80 || tag === 0x82) {
    if (answer.read(tag).content.length !== 0) refuse('expected an empty status');
    return { kind: tag === 0x80 ? 'good' : 'unknown' };
  }
  const revoked = answer.enter(0xa1);
  const atUnix = readAnyTime(revoked);
  const given = revoked.peek() === null ? null : revoked.enter(0xa0);
  const reason = given === null ? null : readSmallInteger(given, derTag.enumerated);
  given?.end();
  revoked.end();
  return { kind: 'revoked', atUnix, reason };
}

function readNonce(wrapper: DerReader): string | null {
  const extensions = readExtensions(wrapper, [], code);
  wrapper.end();
  const value = extensions.get(ocspOid.nonce)?.value;
  return value === undefined ? null : toHex(value);
}
