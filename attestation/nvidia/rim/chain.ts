/**
 * The chain of a RIM's signer: signer ← L3 ← the CA of a chip ← NVIDIA CoRIM signing Root CA.
 * Source: the chains of NVIDIA's RIM documents; RFC 5280, section 6.1.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { cryptoProvider } from '../../crypto/provider.ts';
import type { NvidiaTrustRoot, TrustRoot } from '../../trust/roots.ts';
import { keyUsageBit } from '../../x509/certificate.ts';
import type { NvidiaCertificate } from '../certificate.ts';

/** Certificates of a RIM's chain, the root among them. */
export const rimChainLength = 4;

function nameOf({ subject }: NvidiaCertificate): string {
  return subject.commonName.slice(0, 40);
}

function demand(holds: boolean, reason: string): void {
  if (!holds) throw new StunError('STUN_CHAIN_CONSTRAINTS', reason);
}

/** What a certificate may be used for, by its place: 0 is the signer. */
function verifyConstraints(certificate: NvidiaCertificate, issuer: NvidiaCertificate, place: number): void {
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
    if (!equalBytes(certificate.issuer.raw, issuer.subject.raw))
      throw new StunError('STUN_CHAIN_NAMES', `the issuer of ${nameOf(certificate)} is not the subject of the next certificate`);
    verifyConstraints(certificate, issuer, place);
    if (!cryptoProvider.verifyP384(certificate.tbs, certificate.signature, issuer.key))
      throw new StunError('STUN_CHAIN_SIGNATURE', `${nameOf(certificate)} is not signed by the key of ${nameOf(issuer)}`);
  });
  const publicKey = toHex(last.key);
  const root = roots.find(
    (candidate): candidate is NvidiaTrustRoot =>
      candidate.vendor === 'nvidia' && candidate.purpose === 'rim' && candidate.publicKey === publicKey,
  );
  if (root === undefined)
    throw new StunError('STUN_ROOT_UNTRUSTED', 'the chain ends in a root key that is not in the trust store for RIMs');
  return root;
}

/**
 * The dates of every certificate of a chain.
 * @throws `STUN_CERTIFICATE_NOT_YET_VALID` | `STUN_CERTIFICATE_EXPIRED`
 */
export function verifyRimDates(chain: readonly NvidiaCertificate[], atUnix: number): void {
  for (const certificate of chain) {
    const { notBeforeUnix, notAfterUnix } = certificate;
    const name = nameOf(certificate);
    if (atUnix < notBeforeUnix)
      throw new StunError('STUN_CERTIFICATE_NOT_YET_VALID', `${name} is valid from ${notBeforeUnix}, the time is ${atUnix}`);
    if (atUnix > notAfterUnix)
      throw new StunError('STUN_CERTIFICATE_EXPIRED', `${name} was valid until ${notAfterUnix}, the time is ${atUnix}`);
  }
}
