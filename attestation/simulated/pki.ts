/**
 * The authorities of simulated hardware: a root, a platform CA and a TCB signer, all derived from one seed.
 *
 * Whoever holds the seed can make evidence that verifies under this root. That is its purpose: workers that share a seed share
 * a root, and a verifier that does not name this root refuses all of them. It is not secret material of anything real.
 */
import { randomBytes } from 'node:crypto';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { FieldReader } from '../json/fields.ts';
import { parseCappedJson } from '../json/capped-json.ts';
import type { IntelTrustRoot } from '../trust/roots.ts';
import type { CertificateSpec } from './certificates.ts';
import { authorityUsage, keyId, makeCertificate, signerUsage } from './certificates.ts';
import type { SigningKey } from './signing-key.ts';
import { deriveSigningKey } from './signing-key.ts';

/** Common names: those that the verifier demands. The organisation says that they are simulated. */
export const simulatedNames = {
  root: 'Intel SGX Root CA',
  platformCa: 'Intel SGX PCK Platform CA',
  tcbSigning: 'Intel SGX TCB Signing',
  pck: 'Intel SGX PCK Certificate',
} as const;

/** All simulated certificates are valid from 2020-01-01 to 2049-12-31. */
const notBeforeUnix = 1_577_836_800;
const notAfterUnix = 2_524_521_600;

/** The authorities: keys, and what their certificates say. */
export interface SimulatedPki {
  readonly seed: Uint8Array;
  readonly rootKey: SigningKey;
  readonly platformCaKey: SigningKey;
  readonly tcbSigningKey: SigningKey;
  /** For a trust store that is meant to accept simulated hardware. Never in the default store. */
  readonly root: IntelTrustRoot;
}

/**
 * Makes the authorities of a seed.
 * @param seed - 32 bytes; fresh random ones when absent
 */
export function createSimulatedPki(seed: Uint8Array = new Uint8Array(randomBytes(32))): SimulatedPki {
  const rootKey = deriveSigningKey(seed, 'root');
  return Object.freeze({
    seed: seed.slice(),
    rootKey,
    platformCaKey: deriveSigningKey(seed, 'platform-ca'),
    tcbSigningKey: deriveSigningKey(seed, 'tcb-signing'),
    root: Object.freeze({ vendor: 'intel', name: 'STUN simulated root', publicKey: toHex(rootKey.publicKey), simulated: true }),
  });
}

/** The JSON in which a simulated PKI is stored: `{ "version": 1, "seed": "0x…" }`. */
export function exportSimulatedPki(pki: SimulatedPki): string {
  return JSON.stringify({ version: 1, seed: toHex(pki.seed) });
}

/** Restores a PKI. @throws `STUN_JSON_FORMAT` | `STUN_SIMULATOR_STATE` | `STUN_INPUT` */
export function importSimulatedPki(text: string): SimulatedPki {
  const fields = new FieldReader(parseCappedJson(text), 'simulatedPki', 'STUN_SIMULATOR_STATE');
  fields.only('version', 'seed');
  fields.integer('version', 1, 1);
  return createSimulatedPki(fromHex(fields.string('seed'), 32, 'simulatedPki.seed'));
}

/** What a certificate of the PKI says before anything is changed in it. */
export function certificateSpec(
  subject: string,
  publicKey: Uint8Array,
  issuer: string,
  issuerKey: SigningKey,
  authority: { readonly pathLength: number } | null,
): CertificateSpec {
  return {
    serial: keyId(publicKey),
    subject,
    issuer,
    notBeforeUnix,
    notAfterUnix,
    publicKey,
    isCa: authority !== null,
    pathLength: authority === null ? null : authority.pathLength,
    keyUsage: authority === null ? signerUsage : authorityUsage,
    subjectKeyId: keyId(publicKey),
    authorityKeyId: keyId(issuerKey.publicKey),
    extensions: [],
  };
}

/** Changes to what the certificates of the authorities say, for evidence that must be refused. */
export interface AuthorityChanges {
  readonly root?: Partial<CertificateSpec>;
  readonly platformCa?: Partial<CertificateSpec>;
  readonly tcbSigning?: Partial<CertificateSpec>;
}

/** The certificates of the authorities, DER. */
export interface AuthorityCertificates {
  readonly root: Uint8Array;
  readonly platformCa: Uint8Array;
  readonly tcbSigning: Uint8Array;
}

/** Makes the certificates of the authorities. */
export function makeAuthorityCertificates(pki: SimulatedPki, changes: AuthorityChanges = {}): AuthorityCertificates {
  const { rootKey } = pki;
  const spec = (subject: string, key: SigningKey, authority: { readonly pathLength: number } | null): CertificateSpec =>
    certificateSpec(subject, key.publicKey, simulatedNames.root, rootKey, authority);
  return {
    root: makeCertificate({ ...spec(simulatedNames.root, rootKey, { pathLength: 1 }), ...changes.root }, rootKey),
    platformCa: makeCertificate(
      { ...spec(simulatedNames.platformCa, pki.platformCaKey, { pathLength: 0 }), ...changes.platformCa },
      rootKey,
    ),
    tcbSigning: makeCertificate({ ...spec(simulatedNames.tcbSigning, pki.tcbSigningKey, null), ...changes.tcbSigning }, rootKey),
  };
}
