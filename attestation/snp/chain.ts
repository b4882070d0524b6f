/**
 * The chain ARK → ASK → VCEK, or ARK → ASVK → VLEK, and the ARK's CRL, against pinned roots at a given time.
 * Spec: RFC 5280, section 6; "VCEK Certificate and KDS Interface Specification" (AMD 57230) for names and profile.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { AmdTrustRoot, SnpProduct, TrustRoot } from '../trust/roots.ts';
import { keyUsageBit } from '../x509/certificate.ts';
import type { AmdCertificate } from './certificate.ts';
import type { AmdCrl } from './crl.ts';
import type { SnpEndorsements } from './endorsements.ts';
import { productOfName } from './product.ts';

/** The kind of key that a chain certifies. */
export type VekKind = 'vcek' | 'vlek';

const vekNames: { readonly [Kind in VekKind]: string } = { vcek: 'SEV-VCEK', vlek: 'SEV-VLEK' };
const askName = (kind: VekKind, product: SnpProduct): string => (kind === 'vcek' ? `SEV-${product}` : `SEV-VLEK-${product}`);

/** The kind of key that a VEK certificate names, and by default a VCEK. */
export function vekKindOf(vek: AmdCertificate): VekKind {
  return vek.subject.commonName === vekNames.vlek ? 'vlek' : 'vcek';
}

/** The product line that an ARK's name says. @throws `STUN_SNP_PRODUCT` */
export function productOfArk(ark: AmdCertificate): SnpProduct {
  const name = ark.subject.commonName;
  const product = name.startsWith('ARK-') ? productOfName(name.slice(4)) : null;
  if (product === null || name !== `ARK-${product}`)
    throw new StunError('STUN_SNP_PRODUCT', `expected an ARK of Milan, Genoa or Turin, got ${name.slice(0, 40)}`);
  return product;
}

/** The signature of a certificate by its issuer's key. @throws `STUN_CHAIN_SIGNATURE` */
export function verifySignedBy(certificate: AmdCertificate, issuer: AmdCertificate): void {
  const { key } = issuer;
  if (key.kind !== 'rsa' || !cryptoProvider.verifyRsaPssSha384(certificate.tbs, certificate.signature, key.spki)) {
    const [name, by] = [certificate, issuer].map(({ subject }) => subject.commonName.slice(0, 40));
    throw new StunError('STUN_CHAIN_SIGNATURE', `${name} is not signed by the key of ${by}`);
  }
}

/**
 * Holds an ARK against the pinned ones of its own product line.
 * @throws `STUN_ROOT_UNTRUSTED` | `STUN_CHAIN_SIGNATURE`
 */
export function verifyArk(ark: AmdCertificate, product: SnpProduct, roots: readonly TrustRoot[]): AmdTrustRoot {
  const digest = ark.key.kind === 'rsa' ? toHex(cryptoProvider.sha256(ark.key.spki)) : null;
  const root = roots.find(
    (candidate): candidate is AmdTrustRoot =>
      candidate.vendor === 'amd' && candidate.product === product && candidate.publicKeySha256 === digest,
  );
  if (root === undefined)
    throw new StunError('STUN_ROOT_UNTRUSTED', `the key of ARK-${product} is not in the trust store for ${product}`);
  verifySignedBy(ark, ark);
  return root;
}

/** Subject and issuer of each certificate. @throws `STUN_CHAIN_NAMES` */
export function verifyNames({ vek, ask, ark }: SnpEndorsements, product: SnpProduct): void {
  const kind = vekKindOf(vek);
  const places = [
    [vek, ask, vekNames[kind]],
    [ask, ark, askName(kind, product)],
    [ark, ark, `ARK-${product}`],
  ] as const;
  for (const [certificate, issuer, expected] of places) {
    const name = certificate.subject.commonName;
    if (name !== expected) throw new StunError('STUN_CHAIN_NAMES', `expected ${expected}, got ${name.slice(0, 40)}`);
    if (!equalBytes(certificate.issuer.raw, issuer.subject.raw))
      throw new StunError('STUN_CHAIN_NAMES', `the issuer of ${name} is not the subject of the next certificate`);
  }
}

function demand(holds: boolean, reason: string): void {
  if (!holds) throw new StunError('STUN_CHAIN_CONSTRAINTS', reason);
}

/**
 * What each certificate may be used for. A VCEK or VLEK has none of the standard extensions; where one is present it must agree.
 * @throws `STUN_CHAIN_CONSTRAINTS`
 */
export function verifyConstraints({ vek, ask, ark }: SnpEndorsements): void {
  demand(ark.key.kind === 'rsa' && ask.key.kind === 'rsa', 'expected RSA keys in ARK and ASK');
  demand(vek.key.kind === 'p384', 'expected a P-384 key in the VEK');
  for (const authority of [ark, ask]) {
    const name = authority.subject.commonName;
    demand(authority.isCa, `${name}: expected CA true in basicConstraints`);
    demand(authority.keyUsage.has(keyUsageBit.keyCertSign), `${name}: keyUsage lacks keyCertSign`);
  }
  demand(ark.keyUsage.has(keyUsageBit.cRLSign), 'ARK: keyUsage lacks cRLSign');
  demand(ark.pathLength === null || ark.pathLength >= 1, 'ARK: the chain is longer than its path length');
  demand(!vek.isCa, 'VEK: expected CA false in basicConstraints');
  demand(vek.keyUsage.size === 0 || vek.keyUsage.has(keyUsageBit.digitalSignature), 'VEK: keyUsage lacks digitalSignature');
  demand(
    ask.authorityKeyId !== null && ask.authorityKeyId === ark.subjectKeyId,
    'ASK: its authority key identifier is not the ARK',
  );
  demand(
    vek.authorityKeyId === null || vek.authorityKeyId === ask.subjectKeyId,
    'VEK: its authority key identifier is not the ASK',
  );
}

/** @throws `STUN_CERTIFICATE_NOT_YET_VALID` | `STUN_CERTIFICATE_EXPIRED` */
export function verifyDates({ vek, ask, ark }: SnpEndorsements, atUnix: number): void {
  for (const { subject, notBeforeUnix, notAfterUnix } of [ark, ask, vek]) {
    const name = subject.commonName.slice(0, 40);
    if (atUnix < notBeforeUnix)
      throw new StunError('STUN_CERTIFICATE_NOT_YET_VALID', `${name} is valid from ${notBeforeUnix}, the time is ${atUnix}`);
    if (atUnix > notAfterUnix)
      throw new StunError('STUN_CERTIFICATE_EXPIRED', `${name} was valid until ${notAfterUnix}, the time is ${atUnix}`);
  }
}

/** @throws `STUN_CRL_ISSUER` | `STUN_CRL_SIGNATURE` | `STUN_CRL_NOT_YET_VALID` | `STUN_CRL_EXPIRED` */
export function verifyAmdCrl(crl: AmdCrl, ark: AmdCertificate, atUnix: number): void {
  const name = ark.subject.commonName;
  const sameKey = crl.authorityKeyId === null || crl.authorityKeyId === ark.subjectKeyId;
  if (!equalBytes(crl.issuer.raw, ark.subject.raw) || !sameKey)
    throw new StunError('STUN_CRL_ISSUER', `expected the CRL of ${name}, got that of ${crl.issuer.commonName.slice(0, 40)}`);
  if (ark.key.kind !== 'rsa' || !cryptoProvider.verifyRsaPssSha384(crl.tbs, crl.signature, ark.key.spki))
    throw new StunError('STUN_CRL_SIGNATURE', `the CRL is not signed by the key of ${name}`);
  if (atUnix < crl.thisUpdateUnix)
    throw new StunError('STUN_CRL_NOT_YET_VALID', `the CRL of ${name} begins at ${crl.thisUpdateUnix}, the time is ${atUnix}`);
  if (atUnix > crl.nextUpdateUnix)
    throw new StunError('STUN_CRL_EXPIRED', `the CRL of ${name} ended at ${crl.nextUpdateUnix}, the time is ${atUnix}`);
}

/**
 * That neither the authority nor the VEK is on the ARK's CRL. All VEKs have the serial 0, so an entry 0 stands for all of them.
 * @throws `STUN_CERTIFICATE_REVOKED`
 */
export function verifyNotRevoked({ vek, ask }: SnpEndorsements, crl: AmdCrl): void {
  for (const { subject, serialHex } of [ask, vek]) {
    if (crl.revokedSerials.has(serialHex))
      throw new StunError('STUN_CERTIFICATE_REVOKED', `${subject.commonName.slice(0, 40)} with serial ${serialHex} is revoked`);
  }
}
