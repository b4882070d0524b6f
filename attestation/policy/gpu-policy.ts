/** The part of a policy that is about NVIDIA's GPUs. Every field is required. */
import type { FieldReader } from '../json/fields.ts';
import type { GpuArchitecture, GpuMode } from '../nvidia/report-facts.ts';
import { gpuArchitectures, gpuModes } from '../nvidia/report-facts.ts';
import { isVersion } from '../nvidia/version-order.ts';
import type { Skip } from './policy-fields.ts';
import { hexList, hexListOrSkip, readSkip, refusePolicy } from './policy-fields.ts';

/** Most devices of one machine: eight GPUs, four switches, and room. */
export const maxDevices = 16;

/** Rules for GPUs and NVSwitches. */
export interface GpuPolicy {
  /**
   * The least number of GPUs that an evidence document must show, 1 to 16; switches do not count. Skipped, a machine without any is admitted.
   * A report on its own cannot be held to it.
   */
  readonly minGpus: number | Skip;
  readonly architectures: readonly GpuArchitecture[];
  /** Whether the report must be held against a nonce. */
  readonly requireNonce: boolean;
  /** Whether an OCSP response must be there for every certificate of the device's chain that can be revoked. */
  readonly requireRevocationData: boolean;
  /** Whether a certificate, of the device or of its reference values, is admitted that is revoked with the reason certificateHold. */
  readonly admitCertificateHold: boolean;
  /** Whether reference values must have been held against the measurements. */
  readonly requireRim: boolean;
  /** Whether an OCSP response must be there for every certificate, but the root, of the reference values that are held against them. */
  readonly requireRimRevocationData: boolean;
  /** Whether a device is admitted that says that it is not secure, in recovery or in debug mode; Hopper does not say it. */
  readonly allowDebug: boolean;
  readonly modes: readonly GpuMode[];
  /** Floor of the driver's version, `570.124.06` say; a switch has none. */
  readonly minDriverVersion: string | Skip;
  /** Floors of the VBIOS's version, `96.00.9F.00.01` say. */
  readonly minVbiosVersions: Readonly<Record<GpuArchitecture, string | Skip>>;
  /** FWIDs that are admitted, 48 bytes each. */
  readonly firmwareIds: readonly string[] | Skip;
  /** PDIs that are admitted, 8 bytes each; a skip admits every device that is not denied. */
  readonly hardwareIds: readonly string[] | Skip;
  readonly deniedHardwareIds: readonly string[];
}

const keys = [
  'minGpus',
  'architectures',
  'requireNonce',
  'requireRevocationData',
  'admitCertificateHold',
  'requireRim',
  'requireRimRevocationData',
  'allowDebug',
  'modes',
  'minDriverVersion',
  'minVbiosVersions',
  'firmwareIds',
  'hardwareIds',
  'deniedHardwareIds',
] as const satisfies readonly (keyof GpuPolicy)[];

function versionOrSkip(fields: FieldReader, key: string): string | Skip {
  const value = fields.value(key);
  if (typeof value !== 'string') return readSkip(fields.object(key));
  return isVersion(value) ? value : refusePolicy(`${key} must be a version: parts of digits between dots`);
}

function countOrSkip(fields: FieldReader, key: string): number | Skip {
  return typeof fields.value(key) === 'number' ? fields.integer(key, 1, maxDevices) : readSkip(fields.object(key));
}

function names<T extends string>(fields: FieldReader, key: string, known: readonly T[]): readonly T[] {
  return fields
    .strings(key, known.length)
    .map((text) => known.find((name) => name === text) ?? refusePolicy(`${key} may name ${known.join(', ')}`));
}

function readVbiosFloors(fields: FieldReader): GpuPolicy['minVbiosVersions'] {
  fields.only(...gpuArchitectures);
  return {
    hopper: versionOrSkip(fields, 'hopper'),
    blackwell: versionOrSkip(fields, 'blackwell'),
    ls10: versionOrSkip(fields, 'ls10'),
  };
}

/** Reads the GPU part of a policy. @throws `STUN_POLICY_FORMAT`, naming the field */
export function readGpuPolicy(fields: FieldReader): GpuPolicy {
  fields.only(...keys);
  return {
    minGpus: countOrSkip(fields, 'minGpus'),
    architectures: names(fields, 'architectures', gpuArchitectures),
    requireNonce: fields.boolean('requireNonce'),
    requireRevocationData: fields.boolean('requireRevocationData'),
    admitCertificateHold: fields.boolean('admitCertificateHold'),
    requireRim: fields.boolean('requireRim'),
    requireRimRevocationData: fields.boolean('requireRimRevocationData'),
    allowDebug: fields.boolean('allowDebug'),
    modes: names(fields, 'modes', gpuModes),
    minDriverVersion: versionOrSkip(fields, 'minDriverVersion'),
    minVbiosVersions: readVbiosFloors(fields.object('minVbiosVersions')),
    firmwareIds: hexListOrSkip(fields, 'firmwareIds', 48),
    hardwareIds: hexListOrSkip(fields, 'hardwareIds', 8),
    deniedHardwareIds: hexList(fields, 'deniedHardwareIds', 8),
  };
}

const anyVersion: Skip = { skip: 'no floor is named: every version that NVIDIA stands by is admitted' };

/**
 * The default: Hopper or Blackwell alone or joined by encrypted NVLink, with nonce, reference values, revocation data of both chains,
 * nothing on hold.
 * Protected PCIe leaves NVLink in the clear and makes the switches part of what is trusted: only when it is named.
 */
export const defaultGpuPolicy: GpuPolicy = {
  minGpus: { skip: 'a machine without GPUs is admitted' },
  architectures: ['hopper', 'blackwell'],
  requireNonce: true,
  requireRevocationData: true,
  admitCertificateHold: false,
  requireRim: true,
  requireRimRevocationData: true,
  allowDebug: false,
  modes: ['spt', 'mpt'],
  minDriverVersion: anyVersion,
  minVbiosVersions: { hopper: anyVersion, blackwell: anyVersion, ls10: anyVersion },
  firmwareIds: { skip: 'the reference values speak of the firmware: every FWID under them is admitted' },
  hardwareIds: { skip: 'any device that is not denied is admitted' },
  deniedHardwareIds: [],
};
