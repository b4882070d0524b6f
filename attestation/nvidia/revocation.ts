/** Whether certificates of NVIDIA's are revoked: OCSP responses, found by the certificate that they are about. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CheckId, CheckLedger, rimKinds } from '../checks.ts';
import type { NvidiaCertificate } from './certificate.ts';
import { nameOf } from './chain.ts';
import type { DeviceChain } from './device-chain.ts';
import type { OcspResponse } from './ocsp.ts';
import { parseOcspResponse } from './ocsp.ts';
import { isAbout, verifyOcspResponse } from './ocsp-verification.ts';

/** A certificate of a verified chain that NVIDIA's service answers for. */
export interface RevocableCertificate {
  /** Its place, for people. NVIDIA counts those above a RIM from the root, which is L1. */
  readonly name: 'device' | 'provisioner' | 'identity' | `${(typeof rimKinds)[number]}-rim-l${number}`;
  readonly certificate: NvidiaCertificate;
  readonly issuer: NvidiaCertificate;
}

/** What is known of one certificate. */
export interface CertificateRevocation {
  readonly certificate: RevocableCertificate['name'];
  /** `hold`: revoked for now. `unknown`: there is no response, or the service does not know the certificate. */
  readonly status: 'good' | 'hold' | 'unknown';
  /** The response stands until here; null without one. */
  readonly nextUpdateUnix: number | null;
}

/** Until when the responses stand, unix seconds; nothing of certificates without one. */
export function endsOf(revocation: readonly CertificateRevocation[]): readonly number[] {
  return revocation.flatMap(({ nextUpdateUnix }) => nextUpdateUnix ?? []);
}

/** Those of a device's chain: the firmware's certificate is made by the device itself, the root is pinned. */
export function revocableOfDevice({ device, provisioner, identity, root }: DeviceChain): readonly RevocableCertificate[] {
  return [
    { name: 'device', certificate: device, issuer: provisioner },
    { name: 'provisioner', certificate: provisioner, issuer: identity },
    { name: 'identity', certificate: identity, issuer: root },
  ];
}

/**
 * Makes a check of the revocation of certificates: proven when each is good, unknown with a code when one is on hold or nothing is known
 * of it.
 * @param certificates - of chains that are verified
 * @param responses - DER; those about other certificates are left alone, of several about one every one must hold
 * @param atUnix - time at which they should hold, unix seconds
 * @throws `STUN_DER_FORMAT` | `STUN_OCSP_FORMAT` | `STUN_CERTIFICATE_FORMAT`, what `verifyOcspResponse` throws, and
 * `STUN_CERTIFICATE_REVOKED`
 */
export function proveRevocation(
  ledger: CheckLedger,
  check: CheckId,
  certificates: readonly RevocableCertificate[],
  responses: readonly Uint8Array[],
  atUnix: number,
): readonly CertificateRevocation[] {
  const revocation = ledger.prove(check, () => {
    const parsed = responses.map(parseOcspResponse);
    return Object.freeze(certificates.map((certificate) => assessOne(certificate, parsed, atUnix)));
  });
  const open = revocation.find(({ status }) => status !== 'good');
  if (open !== undefined) ledger.unknown(check, open.status === 'hold' ? 'STUN_OCSP_HOLD' : 'STUN_REVOCATION_UNKNOWN');
  return revocation;
}

function assessOne(
  { name, certificate, issuer }: RevocableCertificate,
  responses: readonly OcspResponse[],
  atUnix: number,
): CertificateRevocation {
  const own = responses.filter((response) => isAbout(response, certificate, issuer));
  const answers = own.map((response) => verifyOcspResponse(response, certificate, issuer, atUnix));
  if (answers.includes('revoked'))
    throw new StunError('STUN_CERTIFICATE_REVOKED', `${nameOf(certificate)} with serial ${certificate.serialHex} is revoked`);
  const status = (['hold', 'unknown', 'good'] as const).find((worst) => answers.includes(worst)) ?? 'unknown';
  const ends = own.map(({ nextUpdateUnix }) => nextUpdateUnix);
  return Object.freeze({ certificate: name, status, nextUpdateUnix: ends.length === 0 ? null : Math.min(...ends) });
}
