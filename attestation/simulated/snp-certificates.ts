/** Makes the certificates and CRLs of simulated SEV-SNP hardware, in the profile that the verifier demands of AMD's. */
import { utf8 } from '#protocol/bytes.ts';
import { derTag } from '../asn1/der.ts';
import type { AmdKey } from '../snp/certificate.ts';
import type { SnpTcb } from '../snp/product.ts';
import { amdOid } from '../snp/rsa-pss.ts';
import { hwIdBytes, vekOid } from '../snp/vek-extensions.ts';
import type { SnpProduct } from '../trust/roots.ts';
import { oid } from '../x509/extension.ts';
import type { ExtensionSpec } from './certificates.ts';
import { simulatedOrganisation } from './certificates.ts';
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
  derSmallInteger,
  derTime,
} from './der-writer.ts';
import type { AuthorityKey } from './snp-pki.ts';

/** Everything that a certificate says. Null leaves an extension out. */
export interface AmdCertificateSpec {
  readonly serial: Uint8Array;
  readonly subject: string;
  readonly issuer: string;
  readonly notBeforeUnix: number;
  readonly notAfterUnix: number;
  readonly key: AmdKey;
  readonly authority: { readonly isCa: boolean; readonly pathLength: number | null } | null;
  readonly keyUsage: readonly number[] | null;
  readonly subjectKeyId: Uint8Array | null;
  readonly authorityKeyId: Uint8Array | null;
  readonly extensions: readonly ExtensionSpec[];
}

/** Everything that a CRL says. */
export interface AmdCrlSpec {
  readonly issuer: string;
  readonly thisUpdateUnix: number;
  readonly nextUpdateUnix: number;
  readonly revokedSerials: readonly Uint8Array[];
  readonly authorityKeyId: Uint8Array | null;
  readonly extensions: readonly ExtensionSpec[];
}

const derNull = der(0x05);
const sha384 = derSequence(derOid(amdOid.sha384), derNull);
const rsaPss = derSequence(
  derOid(amdOid.rsassaPss),
  derSequence(
    der(0xa0, sha384),
    der(0xa1, derSequence(derOid(amdOid.mgf1), sha384)),
    der(0xa2, derSmallInteger(48)),
    der(0xa3, derSmallInteger(1)), // AMD writes the default down
  ),
);

function derExtension(spec: ExtensionSpec): Uint8Array {
  return derSequence(derOid(spec.id), ...(spec.critical ? [derBoolean(true)] : []), derOctets(spec.value));
}

function derKey(key: AmdKey): Uint8Array {
  if (key.kind === 'rsa') return key.spki;
  return derSequence(derSequence(derOid(oid.ecPublicKey), derOid(oid.secp384r1)), derBits(key.point));
}

function sign(tbs: Uint8Array, key: AuthorityKey): Uint8Array {
  return derSequence(tbs, rsaPss, derBits(key.sign(tbs)));
}

const keyIdExtension = (id: Uint8Array): ExtensionSpec => ({
  id: oid.authorityKeyIdentifier,
  critical: false,
  value: derSequence(der(0x80, id)),
});

function standardExtensions(spec: AmdCertificateSpec): readonly ExtensionSpec[] {
  const { subjectKeyId, authorityKeyId, authority, keyUsage } = spec;
  return [
    ...(subjectKeyId === null ? [] : [{ id: oid.subjectKeyIdentifier, critical: false, value: derOctets(subjectKeyId) }]),
    ...(authorityKeyId === null ? [] : [keyIdExtension(authorityKeyId)]),
    ...(authority === null
      ? []
      : [
          {
            id: oid.basicConstraints,
            critical: true,
            value: derSequence(
              ...(authority.isCa ? [derBoolean(true)] : []),
              ...(authority.pathLength === null ? [] : [derSmallInteger(authority.pathLength)]),
            ),
          },
        ]),
    ...(keyUsage === null ? [] : [{ id: oid.keyUsage, critical: true, value: derNamedBits(keyUsage) }]),
  ];
}

/** Makes a certificate. @returns DER */
export function makeAmdCertificate(spec: AmdCertificateSpec, issuerKey: AuthorityKey): Uint8Array {
  const tbs = derSequence(
    der(0xa0, derSmallInteger(2)),
    derInteger(spec.serial),
    rsaPss,
    derName(spec.issuer, simulatedOrganisation),
    derSequence(derTime(spec.notBeforeUnix), derTime(spec.notAfterUnix)),
    derName(spec.subject, simulatedOrganisation),
    derKey(spec.key),
    der(0xa3, derSequence(...[...standardExtensions(spec), ...spec.extensions].map(derExtension))),
  );
  return sign(tbs, issuerKey);
}

/** Makes a CRL. @returns DER */
export function makeAmdCrl(spec: AmdCrlSpec, issuerKey: AuthorityKey): Uint8Array {
  const revoked = spec.revokedSerials.map((serial) => derSequence(derInteger(serial), derTime(spec.thisUpdateUnix)));
  const extensions = [
    { id: oid.crlNumber, critical: false, value: derSmallInteger(1) },
    ...(spec.authorityKeyId === null ? [] : [keyIdExtension(spec.authorityKeyId)]),
    ...spec.extensions,
  ];
  const tbs = derSequence(
    derSmallInteger(1),
    rsaPss,
    derName(spec.issuer, simulatedOrganisation),
    derTime(spec.thisUpdateUnix),
    derTime(spec.nextUpdateUnix),
    ...(revoked.length === 0 ? [] : [derSequence(...revoked)]),
    der(0xa0, derSequence(...extensions.map(derExtension))),
  );
  return sign(tbs, issuerKey);
}

/** What AMD's own extensions of a VEK say. Null leaves one out. */
export interface VekExtensionsSpec {
  readonly structVersion: number | null;
  readonly productName: string | null;
  readonly tcb: SnpTcb;
  /** Whether the FMC level is written, which only Turin has. */
  readonly withFmc: boolean;
  readonly reservedLevel: number;
  readonly hwId: Uint8Array | null;
  readonly cspId: string | null;
}

/** The extensions of a healthy VEK: of a chip when `chipId` is given, else of a cloud. */
export function vekExtensionsSpec(product: SnpProduct, tcb: SnpTcb, chipId: Uint8Array | null): VekExtensionsSpec {
  const turin = product === 'Turin';
  return {
    structVersion: turin ? 1 : 0,
    productName: chipId === null ? product : `${product}-B1`,
    tcb,
    withFmc: turin,
    reservedLevel: 0,
    hwId: chipId === null ? null : chipId.slice(0, hwIdBytes[product]),
    cspId: chipId === null ? simulatedCspId : null,
  };
}

/** The cloud of a simulated VLEK. */
export const simulatedCspId = 'CN=cc-simulated.invalid';

/** Writes AMD's own extensions of a VEK. */
export function makeVekExtensions(spec: VekExtensionsSpec): readonly ExtensionSpec[] {
  const extension = (id: string, value: Uint8Array): ExtensionSpec => ({ id, critical: false, value });
  const level = (id: string, value: number): ExtensionSpec => extension(id, derSmallInteger(value));
  const text = (id: string, value: string): ExtensionSpec => extension(id, der(derTag.ia5String, utf8(value)));
  return [
    ...(spec.structVersion === null ? [] : [level(vekOid.structVersion, spec.structVersion)]),
    ...(spec.productName === null ? [] : [text(vekOid.productName, spec.productName)]),
    level(vekOid.bootloader, spec.tcb.bootloader),
    level(vekOid.tee, spec.tcb.tee),
    level(vekOid.snp, spec.tcb.snp),
    ...vekOid.reserved.map((id) => level(id, spec.reservedLevel)),
    level(vekOid.microcode, spec.tcb.microcode),
    ...(spec.withFmc ? [level(vekOid.fmc, spec.tcb.fmc)] : []),
    ...(spec.hwId === null ? [] : [extension(vekOid.hwId, spec.hwId)]),
    ...(spec.cspId === null ? [] : [text(vekOid.cspId, spec.cspId)]),
  ];
}
