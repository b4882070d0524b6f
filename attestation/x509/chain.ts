/**
 * Certificate chains and CRLs against pinned roots, at a given time.
 *
 * Checks signatures, names, basicConstraints, path length, keyUsage, key identifiers and dates. Does not check revocation of
 * the chain's certificates: the caller holds the CRLs, see {@link verifyNotRevoked}.
 * Spec: RFC 5280, section 6; the lengths and names are Intel's.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { TrustRoot } from '../trust/roots.ts';
import type { Certificate } from './certificate.ts';
import { keyUsageBit } from './certificate.ts';
import type { Crl } from './crl.ts';
import type { SignatureCheck } from './signature-memo.ts';
import { verifyEveryTime } from './signature-memo.ts';

/**
 * Verifies a chain from leaf to root.
 * @param chain - leaf first, root last
 * @param names - for each place the common names that it may have
 * @param roots - roots that the chain may end in
 * @param atUnix - time of verification, unix seconds
 * @param leaf - what the first certificate is: an authority, or a certificate that signs data
 * @param signatures - verifies them, or knows that they were verified
 * @returns the root that the chain ends in
 * @throws `STUN_CHAIN_LENGTH` | `STUN_CHAIN_NAMES` | `STUN_CHAIN_CONSTRAINTS` | `STUN_CHAIN_SIGNATURE` | `STUN_ROOT_UNTRUSTED` |
 * `STUN_CERTIFICATE_EXPIRED` | `STUN_CERTIFICATE_NOT_YET_VALID`
 */
export function verifyChain(
  chain: readonly Certificate[],
  names: readonly (readonly string[])[],
  roots: readonly TrustRoot[],
  atUnix: number,
  leaf: 'authority' | 'signer',
  signatures: SignatureCheck = verifyEveryTime,
): TrustRoot {
  const last = chain.at(-1);
  if (chain.length !== names.length || last === undefined) {
    throw new StunError('STUN_CHAIN_LENGTH', `expected ${names.length} certificates, got ${chain.length}`);
  }
  chain.forEach((certificate, i) => {
    const issuer = chain[i + 1] ?? certificate;
    verifyNames(certificate, issuer, names[i] ?? []);
    verifyConstraints(certificate, issuer, i, i > 0 || leaf === 'authority');
    if (!signatures.isSigned(certificate, issuer.publicKey)) {
      throw new StunError(
        'STUN_CHAIN_SIGNATURE',
        `certificate ${i} is not signed by the key of ${issuer.subject.commonName.slice(0, 40)}`,
      );
    }
  });
  const rootKey = toHex(last.publicKey);
  const root = roots.find((candidate) => candidate.vendor === 'intel' && candidate.publicKey === rootKey);
  if (root === undefined)
    throw new StunError('STUN_ROOT_UNTRUSTED', 'the chain ends in a root key that is not in the trust store');
  for (const certificate of chain) verifyValidity(certificate, atUnix);
  return root;
}

function verifyNames(certificate: Certificate, issuer: Certificate, allowed: readonly string[]): void {
  const name = certificate.subject.commonName;
  if (!allowed.includes(name))
    throw new StunError('STUN_CHAIN_NAMES', `expected ${allowed.join(' or ')}, got ${name.slice(0, 40)}`);
  if (!equalBytes(certificate.issuer.raw, issuer.subject.raw)) {
    throw new StunError('STUN_CHAIN_NAMES', `the issuer of ${name} is not the subject of the next certificate`);
  }
}

function verifyConstraints(certificate: Certificate, issuer: Certificate, below: number, isAuthority: boolean): void {
  const name = certificate.subject.commonName;
  const needs = isAuthority ? [keyUsageBit.keyCertSign, keyUsageBit.cRLSign] : [keyUsageBit.digitalSignature];
  if (certificate.isCa !== isAuthority)
    throw new StunError('STUN_CHAIN_CONSTRAINTS', `${name}: expected CA ${isAuthority} in basicConstraints`);
  if (!needs.every((bit) => certificate.keyUsage.has(bit)))
    throw new StunError('STUN_CHAIN_CONSTRAINTS', `${name}: keyUsage lacks a bit it needs`);
  // Intermediates between this certificate and the leaf; the leaf itself does not count.
  if (certificate.pathLength !== null && below - 1 > certificate.pathLength) {
    throw new StunError('STUN_CHAIN_CONSTRAINTS', `${name}: the chain is longer than its path length ${certificate.pathLength}`);
  }
  if (certificate.authorityKeyId === null || certificate.authorityKeyId !== issuer.subjectKeyId) {
    throw new StunError('STUN_CHAIN_CONSTRAINTS', `${name}: its authority key identifier is not that of its issuer`);
  }
}

function verifyValidity(certificate: Certificate, atUnix: number): void {
  const name = certificate.subject.commonName;
  if (atUnix < certificate.notBeforeUnix) {
    throw new StunError(
      'STUN_CERTIFICATE_NOT_YET_VALID',
      `${name} is valid from ${certificate.notBeforeUnix}, the time is ${atUnix}`,
    );
  }
  if (atUnix > certificate.notAfterUnix) {
    throw new StunError('STUN_CERTIFICATE_EXPIRED', `${name} was valid until ${certificate.notAfterUnix}, the time is ${atUnix}`);
  }
}

/**
 * Verifies a CRL of an authority whose own chain is already verified.
 * @param graceSeconds - how long after its nextUpdate the CRL is still taken
 * @throws `STUN_CRL_ISSUER` | `STUN_CRL_SIGNATURE` | `STUN_CRL_NOT_YET_VALID` | `STUN_CRL_EXPIRED`
 */
export function verifyCrl(
  crl: Crl,
  authority: Certificate,
  atUnix: number,
  graceSeconds = 0,
  signatures: SignatureCheck = verifyEveryTime,
): Crl {
  const name = authority.subject.commonName;
  if (!equalBytes(crl.issuer.raw, authority.subject.raw) || crl.authorityKeyId !== authority.subjectKeyId) {
    throw new StunError('STUN_CRL_ISSUER', `expected the CRL of ${name}, got that of ${crl.issuer.commonName.slice(0, 40)}`);
  }
  if (!signatures.isSigned(crl, authority.publicKey)) {
    throw new StunError('STUN_CRL_SIGNATURE', `the CRL is not signed by the key of ${name}`);
  }
  if (atUnix < crl.thisUpdateUnix) {
    throw new StunError('STUN_CRL_NOT_YET_VALID', `the CRL of ${name} begins at ${crl.thisUpdateUnix}, the time is ${atUnix}`);
  }
  if (atUnix > crl.nextUpdateUnix + graceSeconds) {
    throw new StunError('STUN_CRL_EXPIRED', `the CRL of ${name} ended at ${crl.nextUpdateUnix}, the time is ${atUnix}`);
  }
  return crl;
}

/** @throws `STUN_CERTIFICATE_REVOKED` when the certificate's serial is on its issuer's CRL */
export function verifyNotRevoked(certificate: Certificate, crl: Crl): void {
  if (!equalBytes(certificate.issuer.raw, crl.issuer.raw)) {
    throw new StunError(
      'STUN_CRL_ISSUER',
      `the CRL of ${crl.issuer.commonName.slice(0, 40)} does not cover ${certificate.subject.commonName.slice(0, 40)}`,
    );
  }
  if (crl.revokedSerials.has(certificate.serialHex)) {
    throw new StunError(
      'STUN_CERTIFICATE_REVOKED',
      `${certificate.subject.commonName.slice(0, 40)} with serial ${certificate.serialHex} is revoked`,
    );
  }
}
