/**
 * A simulated GPU or NVSwitch: byte-valid reports under a simulated device root, with its chain and OCSP responses.
 *
 * Every line of the verification path runs on them. They prove nothing about hardware: the root is in no default trust store, what is
 * verified with it is marked `simulated`, and the default policy refuses it. The organisation in every certificate says so in words.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { GpuOpaqueField } from '../nvidia/opaque-data.ts';
import { opaqueType } from '../nvidia/opaque-data.ts';
import type { GpuReportFields } from '../nvidia/report.ts';
import { encodeGpuReport, parseGpuReport } from '../nvidia/report.ts';
import type { GpuArchitecture } from '../nvidia/report-facts.ts';
import { fwidOid } from '../nvidia/fwid.ts';
import type { NvidiaTrustRoot } from '../trust/roots.ts';
import { oid } from '../x509/extension.ts';
import { encodePem } from '../x509/pem.ts';
import type { CertificateSpec, ExtensionSpec } from './certificates.ts';
import { authorityUsage, keyId, makeCertificate, signerUsage } from './certificates.ts';
import { der, derBits, derOctets, derOid, derSequence, derSmallInteger } from './der-writer.ts';
import type { DevicePlace, SimulatedGpuPki } from './gpu-pki.ts';
import { deviceNames, devicePlaces } from './gpu-pki.ts';
import { answerOcsp, simulatedValidity } from './ocsp-responder.ts';
import type { OcspSpec } from './ocsp-writer.ts';
import type { SigningKey } from './signing-key.ts';

/** As NVIDIA's: with its sign it stays within the 20 octets of RFC 5280, section 4.1.2.2. */
const authoritySerialBytes = 16;

/** Places whose certificates can be revoked. */
type RevocablePlace = 'device' | 'provisioner' | 'identity';

/** Changes to what is made, each signed over again, for evidence that must be refused. */
export interface GpuChanges {
  readonly report?: Partial<GpuReportFields>;
  /** Opaque fields by name, instead of the healthy ones; null leaves one out. */
  readonly opaque?: { readonly [Name in keyof typeof opaqueType]?: Uint8Array | null };
  readonly certificates?: { readonly [Place in DevicePlace]?: Partial<CertificateSpec> };
  readonly ocsp?: { readonly [Place in RevocablePlace]?: Partial<OcspSpec> };
}

/** What to simulate. */
export interface SimulatedGpuOptions {
  /** A time inside the day of the OCSP responses, unix seconds. */
  readonly atUnix: number;
  readonly pki: SimulatedGpuPki;
  readonly architecture?: GpuArchitecture;
  /** PDI, 8 bytes. */
  readonly hardwareId: Uint8Array;
  readonly changes?: GpuChanges;
}

/** A simulated device. */
export interface SimulatedGpu {
  /** PEM, the key that signs reports first. */
  readonly chain: string;
  /** One response for each certificate that can be revoked: device, provisioner, identity CA. */
  readonly ocsp: readonly Uint8Array[];
  readonly root: NvidiaTrustRoot;
  /** Makes a report. @param nonce - exactly 32 bytes */
  readonly report: (nonce: Uint8Array) => Uint8Array;
}

/** The certified digest of every simulated device's first firmware: 48 bytes. */
export const simulatedFwid: Uint8Array = cryptoProvider.sha384(utf8('stun/simulated-gpu-firmware/v1'));

/** The value of a simulated measurement block, counted from 1: 48 bytes. */
export function simulatedGpuMeasurement(index: number): Uint8Array {
  return cryptoProvider.sha384(utf8(`stun/simulated-gpu-measurement/v1/${index}`));
}

const text = (value: string): Uint8Array => utf8(`${value}\0`);

function healthyOpaque(architecture: GpuArchitecture, hardwareId: Uint8Array): GpuChanges['opaque'] & object {
  if (architecture === 'ls10')
    return {
      vbiosVersion: utf8('96.10.6D.00.01'),
      pdis: hardwareId,
      positionId: Uint8Array.of(0, 0),
      lockStatus: Uint8Array.of(1, 0),
    };
  const hopper = architecture === 'hopper';
  return {
    vbiosVersion: Uint8Array.of(0, hopper ? 0x9f : 0xd9, 0, hopper ? 0x96 : 0x97, 1, 0, 0, 0),
    chipSku: text('882'),
    project: text('1010'),
    projectSku: text('0200'),
    driverVersion: text('570.124.06'),
    gpuInfo: Uint8Array.of(hopper ? 0x80 : 0xa0, 1, 0, 0, 0, 0, 0, 0),
    nvdec0Status: Uint8Array.of(0x55),
    fwid: simulatedFwid,
    ...(hopper ? { protectedPcieStatus: Uint8Array.of(0x55) } : { chipInfo: text('GB100') }),
    featureFlag: Uint8Array.of(0, 0),
  };
}

function reportFields(options: SimulatedGpuOptions, nonce: Uint8Array): GpuReportFields {
  const { architecture = 'hopper', hardwareId, changes = {} } = options;
  const opaque = Object.entries({ ...healthyOpaque(architecture, hardwareId), ...changes.opaque }).flatMap(
    ([name, value]): GpuOpaqueField[] => (value === null ? [] : [{ type: opaqueType[name as keyof typeof opaqueType], value }]),
  );
  const count = architecture === 'ls10' ? 31 : 64;
  const measurements = Array.from({ length: count }, (_, i) => ({
    index: i + 1,
    valueType: 1,
    value: simulatedGpuMeasurement(i + 1),
  }));
  return {
    nonce,
    slot: 0,
    measurements,
    responderNonce: cryptoProvider.sha256(utf8('stun/simulated-gpu-nonce/v1'), nonce),
    opaque,
    signature: new Uint8Array(96),
    trailing: new Uint8Array(0),
    ...changes.report,
  };
}

const sha384Oid = '2.16.840.1.101.3.4.2.2';
const fwidValue = (digest: Uint8Array): Uint8Array => derSequence(derOid(sha384Oid), derOctets(digest));

/** The composite device id of Hopper and LS10. */
export function compositeDeviceId(deviceKey: Uint8Array, digest: Uint8Array, version = 1): ExtensionSpec {
  const spki = derSequence(derSequence(derOid(oid.ecPublicKey), derOid(oid.secp384r1)), derBits(deviceKey));
  const value = derSequence(derSmallInteger(version), spki, fwidValue(digest));
  return { id: fwidOid.compositeDeviceId, critical: false, value };
}

/** Blackwell's DiceTcbInfo. @param flags - the first byte of the operational flags, bit 0 first; null leaves them out */
export function diceTcbInfo(digests: readonly Uint8Array[], flags: number | null): ExtensionSpec {
  const value = derSequence(
    der(0x80, utf8('STUN')),
    ...(digests.length === 0 ? [] : [der(0xa6, ...digests.map(fwidValue))]),
    ...(flags === null ? [] : [der(0x87, Uint8Array.of(0, flags, 0, 0, 1))]),
  );
  return { id: fwidOid.diceTcbInfo, critical: false, value };
}

function keysOf({ pki, hardwareId }: SimulatedGpuOptions): Readonly<Record<DevicePlace, SigningKey>> {
  return {
    firmware: pki.deviceKey('firmware', hardwareId),
    device: pki.deviceKey('device', hardwareId),
    provisioner: pki.authorityKey('provisioner'),
    identity: pki.authorityKey('identity'),
    root: pki.authorityKey('root'),
  };
}

/** The place that signs another. */
function issuerOf(place: DevicePlace): DevicePlace {
  return devicePlaces[devicePlaces.indexOf(place) + 1] ?? 'root';
}

function certificateSpecs(options: SimulatedGpuOptions): Readonly<Record<DevicePlace, CertificateSpec>> {
  const { architecture = 'hopper', hardwareId, changes = {} } = options;
  const names = deviceNames(architecture);
  const keys = keysOf(options);
  const kind = architecture === 'ls10' ? 0x50 : 0x41;
  const firmwareExtension =
    architecture === 'blackwell' ? diceTcbInfo([simulatedFwid], 0x80) : compositeDeviceId(keys.device.publicKey, simulatedFwid);
  const serialOf = (place: DevicePlace): Uint8Array => {
    if (place === 'device') return concatBytes(Uint8Array.of(kind), hardwareId);
    const id = keyId(keys[place].publicKey);
    return place === 'firmware' ? id : id.slice(0, authoritySerialBytes);
  };
  const spec = (place: DevicePlace): CertificateSpec => ({
    serial: serialOf(place),
    subject: names[place],
    issuer: names[issuerOf(place)],
    ...simulatedValidity,
    publicKey: keys[place].publicKey,
    isCa: place !== 'firmware',
    pathLength: null,
    keyUsage: place === 'firmware' ? signerUsage : authorityUsage,
    subjectKeyId: keyId(keys[place].publicKey),
    authorityKeyId: keyId(keys[issuerOf(place)].publicKey),
    extensions: place === 'firmware' ? [firmwareExtension] : [],
    ...changes.certificates?.[place],
  });
  return Object.fromEntries(devicePlaces.map((place) => [place, spec(place)])) as Record<DevicePlace, CertificateSpec>;
}

function makeOcsp(options: SimulatedGpuOptions, place: RevocablePlace, about: CertificateSpec): Uint8Array {
  const { pki, atUnix, changes = {} } = options;
  const issuer = issuerOf(place) as 'provisioner' | 'identity' | 'root';
  const keys = { issuerKey: pki.authorityKey(issuer), responderKey: pki.responderKey(issuer) };
  return answerOcsp({ about, place: issuer, ...keys, atUnix, changes: changes.ocsp?.[place] });
}

/**
 * Makes a simulated device.
 * @throws `STUN_INPUT` when its identity has another length than 8 bytes
 */
export function createSimulatedGpu(options: SimulatedGpuOptions): SimulatedGpu {
  if (options.hardwareId.length !== 8)
    throw new StunError('STUN_INPUT', `hardwareId must have 8 bytes, got ${options.hardwareId.length}`);
  const keys = keysOf(options);
  const specs = certificateSpecs(options);
  const report = (nonce: Uint8Array): Uint8Array => {
    const fields = reportFields(options, nonce);
    const { signedBytes } = parseGpuReport(encodeGpuReport(fields));
    return encodeGpuReport({ ...fields, signature: keys.firmware.sign(signedBytes) });
  };
  return Object.freeze({
    chain: devicePlaces.map((place) => encodePem(makeCertificate(specs[place], keys[issuerOf(place)]))).join(''),
    ocsp: (['device', 'provisioner', 'identity'] as const).map((place) => makeOcsp(options, place, specs[place])),
    root: options.pki.root,
    report,
  });
}
