/**
 * The chain of a device: its firmware's key, the device's own key, the provisioner, the chip's identity CA, and the root.
 * Source: the chains that GPUs and NVSwitches give with their reports; NVIDIA/nvtrust@0281730, `cc_admin_utils.py`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { parsePemChain } from '../x509/pem.ts';
import type { NvidiaTrustRoot, TrustRoot } from '../trust/roots.ts';
import type { NvidiaCertificate } from './certificate.ts';
import { parseNvidiaCertificate } from './certificate.ts';
import { pinnedRoot, verifyIssuerName, verifySignedBy } from './chain.ts';
import type { GpuArchitecture } from './report-facts.ts';

/** Certificates of a device's chain, the root among them. */
export const deviceChainLength = 5;

/** The five certificates by their places. */
export interface DeviceChain {
  /** Of the key that signs reports: made anew whenever the first firmware changes. */
  readonly firmware: NvidiaCertificate;
  /** Of the device's own key, which its boot ROM holds. */
  readonly device: NvidiaCertificate;
  readonly provisioner: NvidiaCertificate;
  readonly identity: NvidiaCertificate;
  readonly root: NvidiaCertificate;
}

/** Parses a chain, device first. @throws `STUN_PEM_FORMAT` | `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT` */
export function parseDeviceChain(pem: string): readonly NvidiaCertificate[] {
  return Object.freeze(parsePemChain(pem).map(parseNvidiaCertificate));
}

/**
 * Five certificates, each signed by the next, up to a pinned device root that signs itself. Names, constraints and dates are not looked at.
 * @throws `STUN_CHAIN_LENGTH` | `STUN_CHAIN_SIGNATURE` | `STUN_ROOT_UNTRUSTED`
 */
export function verifyDeviceChain(
  certificates: readonly NvidiaCertificate[],
  roots: readonly TrustRoot[],
): { readonly chain: DeviceChain; readonly trusted: NvidiaTrustRoot } {
  const [firmware, device, provisioner, identity, root] = certificates;
  if (
    certificates.length !== deviceChainLength ||
    firmware === undefined ||
    device === undefined ||
    provisioner === undefined ||
    identity === undefined ||
    root === undefined
  )
    throw new StunError('STUN_CHAIN_LENGTH', `expected ${deviceChainLength} certificates, got ${certificates.length}`);
  const trusted = pinnedRoot(root, 'device', roots);
  certificates.forEach((certificate, place) => verifySignedBy(certificate, certificates[place + 1] ?? certificate));
  return { chain: Object.freeze({ firmware, device, provisioner, identity, root }), trusted };
}

/** A chip whose chains are known, and how its certificates are named. Steppings are a letter and two digits. */
interface ChipNames {
  readonly architecture: GpuArchitecture;
  readonly processor: 'GSP' | 'FSP';
  /** The switch of Hopper systems stands under Hopper's identity CA. */
  readonly identity: string;
}

const chips: ReadonlyMap<string, ChipNames> = new Map([
  ['GH100', { architecture: 'hopper', processor: 'GSP', identity: 'NVIDIA GH100 Identity' }],
  ['GB100', { architecture: 'blackwell', processor: 'GSP', identity: 'NVIDIA GB100 Identity' }],
  ['LS_10', { architecture: 'ls10', processor: 'FSP', identity: 'NVIDIA GH100 Identity' }],
] as const);

/** What a chain's names say. */
export interface ChainNames {
  readonly chip: string;
  readonly architecture: GpuArchitecture;
}

function expectName(certificate: NvidiaCertificate, form: RegExp): void {
  const { commonName } = certificate.subject;
  if (!form.test(commonName))
    throw new StunError('STUN_CHAIN_NAMES', `expected a name of the form ${form.source}, got ${commonName.slice(0, 40)}`);
}

/**
 * Holds the names of a chain against those of one chip, and each issuer against the next subject.
 * @throws `STUN_CHAIN_NAMES`
 */
export function verifyDeviceNames({ firmware, device, provisioner, identity, root }: DeviceChain): ChainNames {
  const [chip = ''] = firmware.subject.commonName.split(' ');
  const names = chips.get(chip);
  if (names === undefined)
    throw new StunError('STUN_CHAIN_NAMES', `expected a chip of ${[...chips.keys()].join(', ')}, got ${chip.slice(0, 16)}`);
  expectName(firmware, new RegExp(`^${chip} [A-Z]\\d\\d ${names.processor} FMC LF$`));
  expectName(device, new RegExp(`^${chip} [A-Z]\\d\\d ${names.processor} BROM$`));
  expectName(provisioner, new RegExp(`^NVIDIA ${chip} Provisioner ICA \\d{1,6}$`));
  expectName(identity, new RegExp(`^${names.identity}$`));
  expectName(root, /^NVIDIA Device Identity CA$/);
  const chain = [firmware, device, provisioner, identity, root];
  chain.forEach((certificate, place) => verifyIssuerName(certificate, chain[place + 1] ?? certificate));
  return { chip, architecture: names.architecture };
}

/**
 * The device's public identity (PDI), 8 bytes as `0x` hex: the serial of its own certificate after the first byte.
 * @throws `STUN_GPU_DEVICE_IDENTITY` when the serial has another length
 */
export function deviceIdentity({ device }: Pick<DeviceChain, 'device'>): `0x${string}` {
  const { serialHex } = device;
  // A byte that says what kind of device it is, and the identity; a zero byte comes first when the kind's top bit is set.
  if (!/^(?:00)?[0-9a-f]{18}$/.test(serialHex))
    throw new StunError('STUN_GPU_DEVICE_IDENTITY', `expected a device serial of 9 bytes, got ${serialHex.slice(0, 42)}`);
  return `0x${serialHex.slice(-16)}`;
}
