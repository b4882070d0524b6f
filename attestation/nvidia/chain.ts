/**
 * What all chains of NVIDIA's have in common, whatever their length: signatures, constraints and dates, up to a pinned root.
 * Spec: RFC 5280, section 6.1.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { NvidiaPurpose, NvidiaTrustRoot, TrustRoot } from '../trust/roots.ts';
import { keyUsageBit } from '../x509/certificate.ts';
import type { NvidiaCertificate } from './certificate.ts';

/** A certificate's name, cut for messages. */
export function nameOf({ subject }: NvidiaCertificate): string {
  return subject.commonName.slice(0, 40);
}

/** Whether a certificate is signed by the key of its issuer. @throws `STUN_CHAIN_SIGNATURE` */
export function verifySignedBy(certificate: NvidiaCertificate, issuer: NvidiaCertificate): void {
  if (!cryptoProvider.verifyP384(certificate.tbs, certificate.signature, issuer.key))
    throw new StunError('STUN_CHAIN_SIGNATURE', `${nameOf(certificate)} is not signed by the key of ${nameOf(issuer)}`);
}

/** Whether a certificate names the next one as its issuer. @throws `STUN_CHAIN_NAMES` */
export function verifyIssuerName(certificate: NvidiaCertificate, issuer: NvidiaCertificate): void {
  if (!equalBytes(certificate.issuer.raw, issuer.subject.raw))
    throw new StunError('STUN_CHAIN_NAMES', `the issuer of ${nameOf(certificate)} is not the subject of the next certificate`);
}

function demand(holds: boolean, reason: string): void {
  if (!holds) throw new StunError('STUN_CHAIN_CONSTRAINTS', reason);
}

/**
 * What a certificate may be used for, by its place.
 * @param place - 0 for the certificate that signs data; those above it are authorities
 * @throws `STUN_CHAIN_CONSTRAINTS`
 */
export function verifyConstraints(certificate: NvidiaCertificate, issuer: NvidiaCertificate, place: number): void {
  const name = nameOf(certificate);
  const isAuthority = place > 0;
  const use = isAuthority ? 'keyCertSign' : 'digitalSignature';
  demand(certificate.isCa === isAuthority, `${name}: expected CA ${isAuthority} in basicConstraints`);
  demand(certificate.keyUsage.has(keyUsageBit[use]), `${name}: keyUsage lacks ${use}`);
  demand(
    certificate.pathLength === null || place - 1 <= certificate.pathLength,
    `${name}: the chain is longer than its path length ${certificate.pathLength}`,
  );
  demand(
    certificate.authorityKeyId !== null && certificate.authorityKeyId === issuer.subjectKeyId,
    `${name}: its authority key identifier is not that of its issuer`,
  );
}

/** @throws `STUN_CERTIFICATE_NOT_YET_VALID` | `STUN_CERTIFICATE_EXPIRED` */
export function verifyDates(certificate: NvidiaCertificate, atUnix: number): void {
  const { notBeforeUnix, notAfterUnix } = certificate;
  const name = nameOf(certificate);
  if (atUnix < notBeforeUnix)
    throw new StunError('STUN_CERTIFICATE_NOT_YET_VALID', `${name} is valid from ${notBeforeUnix}, the time is ${atUnix}`);
  if (atUnix > notAfterUnix)
    throw new StunError('STUN_CERTIFICATE_EXPIRED', `${name} was valid until ${notAfterUnix}, the time is ${atUnix}`);
}

/** The pinned root of a purpose that has a certificate's key. @throws `STUN_ROOT_UNTRUSTED` */
export function pinnedRoot(last: NvidiaCertificate, purpose: NvidiaPurpose, roots: readonly TrustRoot[]): NvidiaTrustRoot {
  const publicKey = toHex(last.key);
  const root = roots.find(
    (candidate): candidate is NvidiaTrustRoot =>
      candidate.vendor === 'nvidia' && candidate.purpose === purpose && candidate.publicKey === publicKey,
  );
  if (root === undefined)
    throw new StunError(
      'STUN_ROOT_UNTRUSTED',
      `the chain ends in a root key that is not in the trust store for ${purpose} chains`,
    );
  return root;
}
