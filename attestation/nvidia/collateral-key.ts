/** What to fetch for a GPU report. Read from a report and a chain that nobody verified yet: good for a request, not for a decision. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex } from '#protocol/bytes.ts';
import type { NvidiaCertificate } from './certificate.ts';
import { deviceChainLength } from './device-chain.ts';
import type { GpuReport } from './report.ts';

/** A certificate as one asks an OCSP responder about it. */
export interface OcspCertificateKey {
  /** The issuer's subject name, DER. */
  readonly issuerName: Uint8Array;
  /** The issuer's public key, SEC1 uncompressed, 97 bytes. */
  readonly issuerKey: Uint8Array;
  /** Content of the serial INTEGER, big-endian. */
  readonly serial: Uint8Array;
}

/** The names under which NVIDIA publishes what a report is verified with. */
export interface GpuCollateralKey {
  /** Those that NVIDIA answers for: device, provisioner and identity CA. */
  readonly certificates: readonly OcspCertificateKey[];
  /** Null of a switch, and of a report that does not name its driver. */
  readonly driver: { readonly chip: string; readonly version: string } | null;
  /** Null of a report that does not name its VBIOS whole. `project` is null of a switch, whose reports carry none. */
  readonly vbios: {
    readonly version: string;
    readonly project: { readonly project: string; readonly projectSku: string; readonly chipSku: string } | null;
  } | null;
}

/** The product that a report names; null of a switch. */
function vbiosOf({ facts }: GpuReport): GpuCollateralKey['vbios'] {
  const { vbiosVersion: version, project, projectSku, chipSku, switchPdi, architecture } = facts;
  if (version === null) return null;
  if (switchPdi !== null || architecture === 'ls10') return { version, project: null };
  if (project === null || projectSku === null || chipSku === null) return null;
  return { version, project: { project, projectSku, chipSku } };
}

/** How one asks about a certificate. Whether that is its issuer is not looked at. */
export function ocspKeyOf({ serialHex }: NvidiaCertificate, { subject, key }: NvidiaCertificate): OcspCertificateKey {
  return { issuerName: subject.raw, issuerKey: key, serial: fromHex(`0x${serialHex}`) };
}

/**
 * Reads it. Verifies nothing.
 * @param chain - the device's chain, parsed, device first
 * @throws `STUN_CHAIN_LENGTH` when the chain is not whole: the issuers are needed
 */
export function gpuCollateralKeyOf(report: GpuReport, chain: readonly NvidiaCertificate[]): GpuCollateralKey {
  const [firmware] = chain;
  if (firmware === undefined || chain.length !== deviceChainLength)
    throw new StunError('STUN_CHAIN_LENGTH', `expected ${deviceChainLength} certificates, got ${chain.length}`);
  const certificates = chain.slice(1, -1).map((certificate, i) => ocspKeyOf(certificate, chain[i + 2] ?? firmware));
  const { driverVersion } = report.facts;
  const [chip = ''] = firmware.subject.commonName.split(' ');
  return {
    certificates,
    driver: driverVersion === null ? null : { chip, version: driverVersion },
    vbios: vbiosOf(report),
  };
}
