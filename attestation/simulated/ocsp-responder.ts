/** Simulated OCSP responders: each stands beside an authority, and answers for what that authority certified. */
import type { CertificateSpec } from './certificates.ts';
import { keyId, signerUsage } from './certificates.ts';
import type { OcspSpec } from './ocsp-writer.ts';
import { makeOcspResponse } from './ocsp-writer.ts';
import type { SigningKey } from './signing-key.ts';

/** All simulated certificates of devices and responders are valid from 2020-01-01 to 2049-12-31. */
export const simulatedValidity = { notBeforeUnix: 1_577_836_800, notAfterUnix: 2_524_521_600 } as const;
const daySeconds = 86_400;

/** A question about a certificate. */
export interface SimulatedOcspQuestion {
  readonly about: Pick<CertificateSpec, 'serial' | 'issuer'>;
  /** Of the authority that certified it, in the responder's name. */
  readonly place: string;
  readonly issuerKey: SigningKey;
  readonly responderKey: SigningKey;
  /** A time inside the day of the response, unix seconds. */
  readonly atUnix: number;
  /** How the response differs from one that says good. */
  readonly changes?: Partial<OcspSpec> | undefined;
}

/** Answers a question. @returns DER */
export function answerOcsp({ about, place, issuerKey, responderKey, atUnix, changes }: SimulatedOcspQuestion): Uint8Array {
  const responder: CertificateSpec = {
    serial: keyId(responderKey.publicKey),
    subject: `STUN simulated OCSP responder of ${place}`,
    issuer: about.issuer,
    ...simulatedValidity,
    publicKey: responderKey.publicKey,
    isCa: false,
    pathLength: null,
    keyUsage: signerUsage,
    subjectKeyId: keyId(responderKey.publicKey),
    authorityKeyId: keyId(issuerKey.publicKey),
    extensions: [],
  };
  const spec: OcspSpec = {
    serial: about.serial,
    issuer: about.issuer,
    issuerKey: issuerKey.publicKey,
    answer: 0,
    status: 'good',
    thisUpdateUnix: atUnix - daySeconds / 2,
    nextUpdateUnix: atUnix + daySeconds / 2,
    responderKeyId: responder.subjectKeyId,
    responder,
    purposes: ['1.3.6.1.5.5.7.3.9'],
    nonce: null,
    ...changes,
  };
  return makeOcspResponse(spec, issuerKey, responderKey);
}
