/** Whether a device's certificates are revoked: OCSP responses, found by the certificate that they are about. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { NvidiaCertificate } from './certificate.ts';
import { nameOf } from './chain.ts';
import type { DeviceChain } from './device-chain.ts';
import type { OcspResponse } from './ocsp.ts';
import { parseOcspResponse } from './ocsp.ts';
import { isAbout, verifyOcspResponse } from './ocsp-verification.ts';

/** Certificates that NVIDIA's service answers for. The firmware's is made by the device itself, the root is pinned. */
export const revocablePlaces = ['device', 'provisioner', 'identity'] as const;

/** What is known of one certificate. */
export interface CertificateRevocation {
  readonly certificate: (typeof revocablePlaces)[number];
  /** `hold`: revoked for now. `unknown`: there is no response, or the service does not know the certificate. */
  readonly status: 'good' | 'hold' | 'unknown';
  /** The response stands until here; null without one. */
  readonly nextUpdateUnix: number | null;
}

/** Each certificate that can be revoked, with its issuer. */
function pairsOf(
  chain: DeviceChain,
): readonly (readonly [CertificateRevocation['certificate'], NvidiaCertificate, NvidiaCertificate])[] {
  return [
    ['device', chain.device, chain.provisioner],
    ['provisioner', chain.provisioner, chain.identity],
    ['identity', chain.identity, chain.root],
  ];
}

/**
 * Assesses the revocation of a verified chain.
 * @param responses - DER; those about other certificates are left alone, of several about one every one must hold
 * @param atUnix - time at which they should hold, unix seconds
 * @throws `STUN_DER_FORMAT` | `STUN_OCSP_FORMAT` | `STUN_CERTIFICATE_FORMAT`, what `verifyOcspResponse` throws, and
 * `STUN_CERTIFICATE_REVOKED`
 */
export function assessRevocation(
  chain: DeviceChain,
  responses: readonly Uint8Array[],
  atUnix: number,
): readonly CertificateRevocation[] {
  const parsed = responses.map(parseOcspResponse);
  return Object.freeze(
    pairsOf(chain).map(([place, certificate, issuer]) => {
      const own = parsed.filter((response) => isAbout(response, certificate, issuer));
      return Object.freeze({ certificate: place, ...assessOne(own, certificate, issuer, atUnix) });
    }),
  );
}

function assessOne(
  responses: readonly OcspResponse[],
  certificate: NvidiaCertificate,
  issuer: NvidiaCertificate,
  atUnix: number,
): Omit<CertificateRevocation, 'certificate'> {
  const answers = responses.map((response) => verifyOcspResponse(response, certificate, issuer, atUnix));
  if (answers.includes('revoked'))
    throw new StunError('STUN_CERTIFICATE_REVOKED', `${nameOf(certificate)} with serial ${certificate.serialHex} is revoked`);
  const worst = (['hold', 'unknown', 'good'] as const).find((status) => answers.includes(status)) ?? 'unknown';
  const ends = responses.map(({ nextUpdateUnix }) => nextUpdateUnix);
  return { status: worst, nextUpdateUnix: ends.length === 0 ? null : Math.min(...ends) };
}
