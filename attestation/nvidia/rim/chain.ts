/**
 * The chain of a RIM's signer: signer ← L3 ← the CA of a chip ← NVIDIA CoRIM signing Root CA.
 * Source: the chains of NVIDIA's RIM documents; RFC 5280, section 6.1.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { NvidiaTrustRoot, TrustRoot } from '../../trust/roots.ts';
import type { rimKinds } from '../../checks.ts';
import type { NvidiaCertificate } from '../certificate.ts';
import { pinnedRoot, verifyConstraints, verifyDates, verifyIssuerName, verifySignedBy } from '../chain.ts';
import type { RevocableCertificate } from '../revocation.ts';

/** Certificates of a RIM's chain, the root among them. */
export const rimChainLength = 4;

/** Those of a verified chain that NVIDIA's service answers for: all but the root, which is pinned. */
export function revocableOfRim(
  kind: (typeof rimKinds)[number],
  chain: readonly NvidiaCertificate[],
): readonly RevocableCertificate[] {
  return chain.slice(0, -1).map((certificate, place) => ({
    name: `${kind}-rim-l${chain.length - place}`,
    certificate,
    issuer: chain[place + 1] ?? certificate,
  }));
}

/**
 * Verifies a RIM's chain, dates aside.
 * @param chain - the signer first, the root last
 * @returns the root that the chain ends in
 * @throws `STUN_CHAIN_LENGTH` | `STUN_CHAIN_NAMES` | `STUN_CHAIN_CONSTRAINTS` | `STUN_CHAIN_SIGNATURE` | `STUN_ROOT_UNTRUSTED`
 */
export function verifyRimChain(chain: readonly NvidiaCertificate[], roots: readonly TrustRoot[]): NvidiaTrustRoot {
  const last = chain.at(-1);
  if (last === undefined || chain.length !== rimChainLength)
    throw new StunError('STUN_CHAIN_LENGTH', `expected ${rimChainLength} certificates, got ${chain.length}`);
  chain.forEach((certificate, place) => {
    const issuer = chain[place + 1] ?? certificate;
    verifyIssuerName(certificate, issuer);
    verifyConstraints(certificate, issuer, place);
    verifySignedBy(certificate, issuer);
  });
  return pinnedRoot(last, 'rim', roots);
}

/**
 * The dates of every certificate of a chain.
 * @throws `STUN_CERTIFICATE_NOT_YET_VALID` | `STUN_CERTIFICATE_EXPIRED`
 */
export function verifyRimDates(chain: readonly NvidiaCertificate[], atUnix: number): void {
  for (const certificate of chain) verifyDates(certificate, atUnix);
}
