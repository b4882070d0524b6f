/** Makes the certificates and CRLs of simulated hardware, in the profile that the verifier demands of real ones. */
import { concatBytes } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import { keyUsageBit } from '../x509/certificate.ts';
import { oid } from '../x509/extension.ts';
import {
  der,
  derBits,
  derBoolean,
  derInteger,
  derName,
  derNamedBits,
  derOctets,
  derOid,
  derSequence,
  derSignature,
  derSmallInteger,
  derTime,
} from './der-writer.ts';
import type { SigningKey } from './signing-key.ts';

/** Organisation in every simulated name: it says in words that this is not Intel. */
export const simulatedOrganisation = 'STUN simulated hardware';

/** An extension to be written. */
export interface ExtensionSpec {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Everything that a certificate says. */
export interface CertificateSpec {
  readonly serial: Uint8Array;
  readonly subject: string;
  readonly issuer: string;
  readonly notBeforeUnix: number;
  readonly notAfterUnix: number;
  readonly publicKey: Uint8Array;
  readonly isCa: boolean;
  readonly pathLength: number | null;
  readonly keyUsage: readonly number[];
  readonly subjectKeyId: Uint8Array;
  readonly authorityKeyId: Uint8Array;
  readonly extensions: readonly ExtensionSpec[];
}

/** Everything that a CRL says. */
export interface CrlSpec {
  readonly issuer: string;
  readonly thisUpdateUnix: number;
  readonly nextUpdateUnix: number;
  readonly revokedSerials: readonly Uint8Array[];
  /** Null leaves the extension out. */
  readonly authorityKeyId: Uint8Array | null;
  readonly crlNumber: number | null;
  readonly extensions: readonly ExtensionSpec[];
}

const ecdsaWithSha256 = derSequence(derOid(oid.ecdsaWithSha256));
const ecdsaWithSha384 = derSequence(derOid(oid.ecdsaWithSha384));
const pointBytes384 = 97;

/** The signature algorithm of a key: that of its curve. */
function algorithmOf({ publicKey }: SigningKey): Uint8Array {
  return publicKey.length === pointBytes384 ? ecdsaWithSha384 : ecdsaWithSha256;
}

/** The key identifier of a public key: the first 20 bytes of its SHA-256. */
export function keyId(publicKey: Uint8Array): Uint8Array {
  return cryptoProvider.sha256(publicKey).subarray(0, 20);
}

export const authorityUsage: readonly number[] = [keyUsageBit.keyCertSign, keyUsageBit.cRLSign];
export const signerUsage: readonly number[] = [keyUsageBit.digitalSignature];

function derExtension(spec: ExtensionSpec): Uint8Array {
  return derSequence(derOid(spec.id), ...(spec.critical ? [derBoolean(true)] : []), derOctets(spec.value));
}

function authorityKeyIdExtension(id: Uint8Array): ExtensionSpec {
  return { id: oid.authorityKeyIdentifier, critical: false, value: derSequence(der(0x80, id)) };
}

function sign(tbs: Uint8Array, key: SigningKey): Uint8Array {
  return derSequence(tbs, algorithmOf(key), derBits(derSignature(key.sign(tbs))));
}

/** Makes a certificate. @returns DER */
export function makeCertificate(spec: CertificateSpec, issuerKey: SigningKey): Uint8Array {
  const basicConstraints = derSequence(
    ...(spec.isCa ? [derBoolean(true)] : []),
    ...(spec.pathLength === null ? [] : [derSmallInteger(spec.pathLength)]),
  );
  const extensions: readonly ExtensionSpec[] = [
    authorityKeyIdExtension(spec.authorityKeyId),
    { id: oid.subjectKeyIdentifier, critical: false, value: derOctets(spec.subjectKeyId) },
    { id: oid.keyUsage, critical: true, value: derNamedBits(spec.keyUsage) },
    { id: oid.basicConstraints, critical: true, value: basicConstraints },
    ...spec.extensions,
  ];
  const curve = spec.publicKey.length === pointBytes384 ? oid.secp384r1 : oid.prime256v1;
  const tbs = derSequence(
    der(0xa0, derSmallInteger(2)),
    derInteger(spec.serial),
    algorithmOf(issuerKey),
    derName(spec.issuer, simulatedOrganisation),
    derSequence(derTime(spec.notBeforeUnix), derTime(spec.notAfterUnix)),
    derName(spec.subject, simulatedOrganisation),
    derSequence(derSequence(derOid(oid.ecPublicKey), derOid(curve)), derBits(spec.publicKey)),
    der(0xa3, derSequence(...extensions.map(derExtension))),
  );
  return sign(tbs, issuerKey);
}

/** Makes a CRL. @returns DER */
export function makeCrl(spec: CrlSpec, issuerKey: SigningKey): Uint8Array {
  const reason = derSequence(derExtension({ id: oid.reasonCode, critical: false, value: der(0x0a, Uint8Array.of(1)) }));
  const revoked = spec.revokedSerials.map((serial) => derSequence(derInteger(serial), derTime(spec.thisUpdateUnix), reason));
  const extensions: readonly ExtensionSpec[] = [
    ...(spec.crlNumber === null ? [] : [{ id: oid.crlNumber, critical: false, value: derSmallInteger(spec.crlNumber) }]),
    ...(spec.authorityKeyId === null ? [] : [authorityKeyIdExtension(spec.authorityKeyId)]),
    ...spec.extensions,
  ];
  const tbs = derSequence(
    derSmallInteger(1),
    algorithmOf(issuerKey),
    derName(spec.issuer, simulatedOrganisation),
    derTime(spec.thisUpdateUnix),
    derTime(spec.nextUpdateUnix),
    ...(revoked.length === 0 ? [] : [derSequence(...revoked)]),
    der(0xa0, derSequence(...extensions.map(derExtension))),
  );
  return sign(tbs, issuerKey);
}

/** What the SGX extension of a simulated PCK certificate says. */
export interface PckExtensionSpec {
  readonly ppid: Uint8Array;
  readonly componentSvns: readonly number[];
  readonly pceSvn: number;
  readonly pceId: Uint8Array;
  readonly fmspc: Uint8Array;
}

/** The SGX extension 1.2.840.113741.1.13.1. */
export function makePckExtension(spec: PckExtensionSpec): ExtensionSpec {
  const field = (suffix: string, value: Uint8Array): Uint8Array => derSequence(derOid(`${oid.sgx}.${suffix}`), value);
  const tcb = [
    ...spec.componentSvns.map((svn, i) => field(`2.${i + 1}`, derSmallInteger(svn))),
    field('2.17', derSmallInteger(spec.pceSvn)),
    field('2.18', derOctets(Uint8Array.from(spec.componentSvns))),
  ];
  const value = derSequence(
    field('1', derOctets(spec.ppid)),
    field('2', derSequence(...tcb)),
    field('3', derOctets(spec.pceId)),
    field('4', derOctets(spec.fmspc)),
    field('5', der(0x0a, Uint8Array.of(1))),
    field('6', derOctets(concatBytes(spec.ppid.subarray(8), spec.ppid.subarray(0, 8)))),
  );
  return { id: oid.sgx, critical: false, value };
}
