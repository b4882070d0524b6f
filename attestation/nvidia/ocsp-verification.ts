/**
 * An OCSP response held against the certificate it is about.
 * Spec: RFC 6960, sections 3.2 and 4.2.2.2 "Authorized Responders".
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { readOid } from '../asn1/der-values.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import { oid } from '../x509/extension.ts';
import type { NvidiaCertificate } from './certificate.ts';
import { nameOf, verifyConstraints, verifyDates, verifyIssuerName, verifySignedBy } from './chain.ts';
import type { OcspResponse } from './ocsp.ts';

/** Purpose of a key that signs OCSP responses. */
const ocspSigning = '1.3.6.1.5.5.7.3.9';
/** CRLReason certificateHold: revoked for now, and perhaps not for ever. */
const holdReason = 6;

/** What a response proved of its certificate. `hold` is a revocation with the reason certificateHold. */
export type CertificateStatus = 'good' | 'hold' | 'revoked' | 'unknown';

/** Whether a response speaks of a certificate of this issuer. Says nothing about who signed it. */
export function isAbout({ certificateId }: OcspResponse, certificate: NvidiaCertificate, issuer: NvidiaCertificate): boolean {
  const { sha256, sha384 } = cryptoProvider;
  const digest = certificateId.hash === 'sha384' ? sha384 : sha256;
  return (
    certificateId.serialHex === certificate.serialHex &&
    equalBytes(certificateId.issuerNameHash, digest(issuer.subject.raw)) &&
    equalBytes(certificateId.issuerKeyHash, digest(issuer.key))
  );
}

function isResponder({ responderId, responder }: OcspResponse): boolean {
  return 'name' in responderId
    ? equalBytes(responderId.name, responder.subject.raw)
    : responderId.keyId === responder.subjectKeyId;
}

function purposesOf(certificate: NvidiaCertificate): readonly string[] {
  const extension = certificate.extensions.get(oid.extendedKeyUsage);
  if (extension === undefined) return [];
  const outer = new DerReader(extension.value);
  const list = outer.enter(derTag.sequence);
  outer.end();
  const purposes: string[] = [];
  while (list.peek() !== null) purposes.push(readOid(list));
  return purposes;
}

/** The responder is delegated by the very issuer of the certificate, and for this purpose. @throws `STUN_OCSP_RESPONDER` */
function verifyResponder(response: OcspResponse, issuer: NvidiaCertificate, atUnix: number): void {
  const { responder } = response;
  try {
    verifyIssuerName(responder, issuer);
    verifyConstraints(responder, issuer, 0);
    verifySignedBy(responder, issuer);
    verifyDates(responder, atUnix);
  } catch (thrown) {
    if (!(thrown instanceof StunError)) throw thrown;
    throw new StunError('STUN_OCSP_RESPONDER', thrown.message, { cause: thrown });
  }
  if (!isResponder(response))
    throw new StunError('STUN_OCSP_RESPONDER', 'the response names another responder than its certificate');
  if (!purposesOf(responder).includes(ocspSigning))
    throw new StunError('STUN_OCSP_RESPONDER', `${nameOf(responder)} is not certified to sign OCSP responses`);
}

/**
 * Verifies a response about a certificate whose own chain is already verified.
 * @param atUnix - time of verification, unix seconds
 * @returns what it proves; a revoked certificate is an answer too
 * @throws `STUN_OCSP_MISMATCH` | `STUN_OCSP_RESPONDER` | `STUN_OCSP_SIGNATURE` | `STUN_OCSP_NOT_YET_VALID` | `STUN_OCSP_EXPIRED`
 */
export function verifyOcspResponse(
  response: OcspResponse,
  certificate: NvidiaCertificate,
  issuer: NvidiaCertificate,
  atUnix: number,
): CertificateStatus {
  const name = nameOf(certificate);
  if (!isAbout(response, certificate, issuer))
    throw new StunError('STUN_OCSP_MISMATCH', `the response is about another certificate than ${name}`);
  verifyResponder(response, issuer, atUnix);
  if (!cryptoProvider.verifyP384(response.tbs, response.signature, response.responder.key))
    throw new StunError('STUN_OCSP_SIGNATURE', `the response about ${name} is not signed by its responder`);
  const { thisUpdateUnix, nextUpdateUnix, status } = response;
  if (atUnix < thisUpdateUnix)
    throw new StunError(
      'STUN_OCSP_NOT_YET_VALID',
      `the response about ${name} begins at ${thisUpdateUnix}, the time is ${atUnix}`,
    );
  if (atUnix > nextUpdateUnix)
    throw new StunError('STUN_OCSP_EXPIRED', `the response about ${name} ended at ${nextUpdateUnix}, the time is ${atUnix}`);
  return status.kind === 'revoked' && status.reason === holdReason ? 'hold' : status.kind;
}
