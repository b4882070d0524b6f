/** Makes OCSP responses of simulated authorities, in the profile that the verifier demands of NVIDIA's. Spec: RFC 6960, section 4.2. */
import { utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import { derTag } from '../asn1/der.ts';
import { oid } from '../x509/extension.ts';
import type { CertificateSpec } from './certificates.ts';
import { makeCertificate, simulatedOrganisation } from './certificates.ts';
import { der, derBits, derInteger, derName, derOctets, derOid, derSequence, derSignature } from './der-writer.ts';
import type { SigningKey } from './signing-key.ts';

/** Everything that a response says. */
export interface OcspSpec {
  /** Which certificate it is about: its serial, its issuer's name and key. */
  readonly serial: Uint8Array;
  readonly issuer: string;
  readonly issuerKey: Uint8Array;
  /** OCSPResponseStatus; 0 is successful. */
  readonly answer: number;
  readonly status: 'good' | 'unknown' | { readonly revokedAtUnix: number; readonly reason: number | null };
  readonly thisUpdateUnix: number;
  readonly nextUpdateUnix: number;
  /** The key identifier by which the response names its responder; null names it by its name. */
  readonly responderKeyId: Uint8Array | null;
  readonly responder: CertificateSpec;
  /** Purposes of the responder's key; null leaves the extension out. */
  readonly purposes: readonly string[] | null;
  readonly nonce: Uint8Array | null;
}

const sha384 = derSequence(derOid('2.16.840.1.101.3.4.2.2'), der(0x05));
const enumerated = (value: number): Uint8Array => der(derTag.enumerated, Uint8Array.of(value));

function derGeneralizedTime(unix: number): Uint8Array {
  const text = new Date(unix * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  return der(derTag.generalizedTime, utf8(text.replace(/[-:T]/g, '')));
}

function derStatus(status: OcspSpec['status']): Uint8Array {
  if (status === 'good') return der(0x80);
  if (status === 'unknown') return der(0x82);
  const reason = status.reason === null ? [] : [der(0xa0, enumerated(status.reason))];
  return der(0xa1, derGeneralizedTime(status.revokedAtUnix), ...reason);
}

function derResponder(spec: OcspSpec): Uint8Array {
  return spec.responderKeyId === null
    ? der(0xa1, derName(spec.responder.subject, simulatedOrganisation))
    : der(0xa2, derOctets(spec.responderKeyId));
}

/**
 * Makes a response.
 * @param issuerKey - signs the responder's certificate
 * @param responderKey - signs the response
 * @returns DER
 */
export function makeOcspResponse(spec: OcspSpec, issuerKey: SigningKey, responderKey: SigningKey): Uint8Array {
  const certificateId = derSequence(
    sha384,
    derOctets(cryptoProvider.sha384(derName(spec.issuer, simulatedOrganisation))),
    derOctets(cryptoProvider.sha384(spec.issuerKey)),
    derInteger(spec.serial),
  );
  const single = derSequence(
    certificateId,
    derStatus(spec.status),
    derGeneralizedTime(spec.thisUpdateUnix),
    der(0xa0, derGeneralizedTime(spec.nextUpdateUnix)),
  );
  const nonce = spec.nonce === null ? [] : [derSequence(derOid('1.3.6.1.5.5.7.48.1.2'), derOctets(derOctets(spec.nonce)))];
  const tbs = derSequence(
    derResponder(spec),
    derGeneralizedTime(spec.thisUpdateUnix),
    derSequence(single),
    ...(nonce.length === 0 ? [] : [der(0xa1, derSequence(...nonce))]),
  );
  const purposes = spec.purposes === null ? [] : [derSequence(...spec.purposes.map(derOid))];
  const extensions = purposes.map((value) => ({ id: oid.extendedKeyUsage, critical: true, value }));
  const certificate = makeCertificate(
    { ...spec.responder, extensions: [...spec.responder.extensions, ...extensions] },
    issuerKey,
  );
  const basic = derSequence(
    tbs,
    derSequence(derOid(oid.ecdsaWithSha384)),
    derBits(derSignature(responderKey.sign(tbs))),
    der(0xa0, derSequence(certificate)),
  );
  const typed = derSequence(derOid('1.3.6.1.5.5.7.48.1.1'), derOctets(basic));
  return derSequence(enumerated(spec.answer), ...(spec.answer === 0 ? [der(0xa0, typed)] : []));
}
