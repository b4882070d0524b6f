/** Every field of a GPU report, its chain, OCSP responses and RIM documents, with what it means. For people who want to look before they verify. */
import { opaqueType, parseDeviceChain, parseGpuReport, parseOcspResponse } from '#attestation/index.ts';
import { parseRim } from '#attestation/nvidia/rim/reference-manifest.ts';
import type { GpuReport } from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import type { DescribedField } from './evidence-fields.ts';
import type { GpuFiles } from './evidence-source.ts';

function field(name: string, value: string | number | boolean, meaning: string): DescribedField {
  return { name, value: String(value), meaning };
}

const opaqueMeanings: { readonly [Name in keyof typeof opaqueType]: string } = {
  driverVersion: 'version of the driver, as text',
  gpuInfo: 'chip word: 0x180 Hopper, 0x1a0 Blackwell (little-endian)',
  vbiosVersion: 'version of the VBIOS: bytes 3, 2, 1, 0 and 4 in a GPU, text in a switch',
  nvdec0Status: 'NVDEC0: 0xaa enabled, 0x55 disabled; measurement block 36 counts only while it is enabled',
  measurementCounts: 'how often each measurement was extended',
  cprInfo: 'protected region of the GPU memory',
  boardId: 'board',
  chipSku: 'SKU of the chip: part of the name of the VBIOS RIM',
  chipSkuModifier: 'modifier of the SKU of the chip',
  project: 'project: part of the name of the VBIOS RIM',
  projectSku: 'SKU of the project: part of the name of the VBIOS RIM',
  projectSkuModifier: 'modifier of the SKU of the project',
  fwid: 'digest of the first firmware: must be the one in the certificate',
  protectedPcieStatus: 'protected PCIe: 0xaa on, 0x55 off',
  pdis: "a switch's own identity, or the identities of the switches that a GPU is linked to",
  floorsweptPorts: 'ports that are switched off',
  positionId: 'position of the switch',
  lockStatus: 'whether the switch is locked',
  gpuPdis: 'identities of the GPUs that a switch is linked to, and by which ports',
  systemEnableStatus: 'state of the system',
  opaqueDataVersion: 'version of the opaque data',
  chipInfo: 'name of the chip',
  featureFlag: 'mode: 0 spt (one GPU), 1 mpt (encrypted NVLink), 2 ppcie (protected PCIe)',
};
const names = new Map<number, keyof typeof opaqueType>(
  Object.entries(opaqueType).map(([name, type]) => [type, name as keyof typeof opaqueType]),
);

function reportFields(report: GpuReport): readonly DescribedField[] {
  const { facts } = report;
  const fact = (name: string, value: string | null, meaning: string): DescribedField =>
    field(name, value ?? 'not reported', meaning);
  return [
    field('nonce', toHex(report.nonce), "the requester's nonce: what the report was asked for with"),
    field('slot', report.slot, 'certificate slot'),
    fact('architecture', facts.architecture, 'architecture that the report claims'),
    fact('driverVersion', facts.driverVersion, 'version of the driver'),
    fact('vbiosVersion', facts.vbiosVersion, 'version of the VBIOS, as its RIM writes it'),
    fact('mode', facts.mode, 'how GPUs are joined: spt, mpt or ppcie'),
    fact('nvdec0', facts.nvdec0, 'state of the video decoder'),
    ...report.measurements.map(({ index, valueType, value }) =>
      field(
        `measurement.${index}`,
        toHex(value),
        `measurement block ${index} of type ${valueType}; index ${index - 1} of the RIMs`,
      ),
    ),
    field('responderNonce', toHex(report.responderNonce), "the device's own nonce"),
    ...report.opaque.map(({ type, value }) => {
      const name = names.get(type);
      return name === undefined
        ? field(`opaque.${type}`, toHex(value), 'opaque field of an unknown type')
        : field(`opaque.${name}`, toHex(value), opaqueMeanings[name]);
    }),
    field('signature', toHex(report.signature), 'by the firmware key over request and response, r||s'),
    field('trailingBytes', report.trailing.length, 'bytes after the signature, ignored'),
  ];
}

function time(unix: number): string {
  return new Date(unix * 1000).toISOString();
}

const places = ['firmware', 'device', 'provisioner', 'identity', 'root'] as const;

/**
 * Lists what is said about certificates and measurements.
 * @throws the code of the parser when a document cannot be read
 */
export function describeGpuCollateral({ ocsp, rims }: Pick<GpuFiles, 'ocsp' | 'rims'>): readonly DescribedField[] {
  return [
    ...ocsp
      .map(parseOcspResponse)
      .map(({ certificateId, status, thisUpdateUnix, nextUpdateUnix }) =>
        field(
          `ocsp.${certificateId.serialHex}`,
          status.kind,
          `about the certificate of this serial, from ${time(thisUpdateUnix)} to ${time(nextUpdateUnix)}`,
        ),
      ),
    ...rims
      .map(parseRim)
      .map(({ kind, version, product, measurements }) =>
        field(
          `rim.${kind}`,
          version,
          `reference values for ${product}, ${measurements.filter(({ active }) => active).length} of them to be compared`,
        ),
      ),
  ];
}

/**
 * Lists the fields of a report with its chain, OCSP responses and RIM documents.
 * @throws the code of the parser when one of them cannot be read
 */
export function describeGpu(bytes: Uint8Array, { chain, ocsp, rims }: Omit<GpuFiles, 'nonce'>): readonly DescribedField[] {
  return [
    ...reportFields(parseGpuReport(bytes)),
    ...parseDeviceChain(chain).map(({ subject, serialHex, notBeforeUnix, notAfterUnix }, i) =>
      field(
        `chain.${places[i] ?? i}`,
        `${subject.commonName}, serial ${serialHex}`,
        `valid ${time(notBeforeUnix)} to ${time(notAfterUnix)}`,
      ),
    ),
    ...describeGpuCollateral({ ocsp, rims }),
  ];
}
