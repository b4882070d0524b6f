/**
 * What the opaque data of a report say, as values. Structure only: the report's signature covers them, and `verify.ts` checks that.
 *
 * Fields that a device or its firmware does not report are null. A known field whose value has no known meaning is refused: better
 * no answer than a wrong one.
 */
import { toHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { GpuOpaqueField } from './opaque-data.ts';
import { opaqueType } from './opaque-data.ts';

/** Architectures whose reports are read. LS10 is the NVSwitch of Hopper systems. */
export const gpuArchitectures = ['hopper', 'blackwell', 'ls10'] as const;
export type GpuArchitecture = (typeof gpuArchitectures)[number];

/**
 * How GPUs of one tenant are joined: SPT, one GPU alone; MPT, several with encrypted NVLink (Blackwell); PPCIE, protected PCIe with
 * NVLink and NVSwitches in the clear (Hopper).
 */
export const gpuModes = ['spt', 'mpt', 'ppcie'] as const;
export type GpuMode = (typeof gpuModes)[number];

/** What the opaque data say. */
export interface GpuFacts {
  /** The architecture that the report claims; null when it names none that is known here. */
  readonly architecture: GpuArchitecture | null;
  /** Version of the driver, `550.90.07` say; switches have none. */
  readonly driverVersion: string | null;
  /** Version of the VBIOS (of the BIOS in a switch) as RIMs write it, `96.00.9F.00.01` say. */
  readonly vbiosVersion: string | null;
  /** Project, its SKU and the chip's SKU: the parts of the name of a VBIOS RIM. */
  readonly project: string | null;
  readonly projectSku: string | null;
  readonly chipSku: string | null;
  /** Name of the chip, `GB100` say. */
  readonly chip: string | null;
  /** NVDEC0, the video decoder: measurement block 36 is of no meaning while it is disabled. */
  readonly nvdec0: 'enabled' | 'disabled' | null;
  /** Digest of the GPU's first firmware, 48 bytes. */
  readonly fwid: Uint8Array | null;
  readonly protectedPcie: boolean | null;
  readonly mode: GpuMode | null;
  /** A switch's own public identity (PDI), 8 bytes as `0x` hex. */
  readonly switchPdi: string | null;
  /** The PDIs at the other ends of the links, as `0x` hex, each once: switches in a GPU's report, GPUs in a switch's. */
  readonly linkedPdis: readonly string[];
}

const pdiBytes = 8;
const statuses: ReadonlyMap<number, boolean> = new Map([
  [0xaa, true],
  [0x55, false],
]);
/** The architecture word of GPU_INFO, as in the chip's boot register. */
const architectureWords: ReadonlyMap<number, GpuArchitecture> = new Map([
  [0x180, 'hopper'],
  [0x1a0, 'blackwell'],
]);

function refuse(reason: string): never {
  throw new StunError('STUN_GPU_REPORT_FORMAT', reason);
}

/** Typed reading of opaque fields by type. */
class Fields {
  readonly #values: ReadonlyMap<number, Uint8Array>;

  constructor(fields: readonly GpuOpaqueField[]) {
    this.#values = new Map(fields.map(({ type, value }) => [type, value]));
  }

  bytes(name: keyof typeof opaqueType, length?: number): Uint8Array | null {
    const value = this.#values.get(opaqueType[name]) ?? null;
    if (value !== null && length !== undefined && value.length !== length)
      refuse(`${name}: expected ${length} bytes, got ${value.length}`);
    return value;
  }

  /** Printable ASCII, NULs at the end left out; null when there is nothing else. */
  text(name: keyof typeof opaqueType): string | null {
    const value = this.bytes(name);
    if (value === null) return null;
    const text = String.fromCharCode(...value.subarray(0, 64)).replace(/\0+$/, '');
    if (value.length > 64 || !/^[\x20-\x7e]*$/.test(text)) refuse(`${name}: expected at most 64 printable characters`);
    return text === '' ? null : text;
  }

  status(name: keyof typeof opaqueType): boolean | null {
    const value = this.bytes(name, 1);
    return value === null ? null : (statuses.get(value[0] ?? 0) ?? refuse(`${name}: expected 0xaa or 0x55, got ${toHex(value)}`));
  }

  /** Identities in the given byte order, each once; those of equal bytes 00 or ff stand for nothing. */
  pdis(list: Uint8Array | null, order: 'as-is' | 'reversed'): readonly string[] {
    const value = list ?? new Uint8Array(0);
    if (value.length % pdiBytes !== 0) refuse(`pdis: expected whole identities of ${pdiBytes} bytes, got ${value.length}`);
    const found = Array.from({ length: value.length / pdiBytes }, (_, i) => {
      const pdi = value.slice(i * pdiBytes, (i + 1) * pdiBytes);
      return toHex(order === 'as-is' ? pdi : pdi.reverse());
    });
    return [...new Set(found)].filter((pdi) => !/^0x(?:0+|f+)$/.test(pdi));
  }
}

/** A switch says where it sits; a GPU says which generation it is. */
function architectureOf(fields: Fields, isSwitch: boolean): GpuArchitecture | null {
  const info = fields.bytes('gpuInfo');
  if (isSwitch) return info === null ? 'ls10' : null;
  if (info === null || info.length < 4) return null;
  const word = new DataView(info.buffer, info.byteOffset, 4).getUint32(0, true);
  return architectureWords.get(word) ?? null;
}

/** GPUs give eight bytes, the version's first part in byte 3; switches give the text. */
function vbiosVersion(fields: Fields, isSwitch: boolean): string | null {
  if (isSwitch) return fields.text('vbiosVersion');
  const value = fields.bytes('vbiosVersion', 8);
  if (value === null) return null;
  return [3, 2, 1, 0, 4].map((i) => (value[i] ?? 0).toString(16).padStart(2, '0').toUpperCase()).join('.');
}

/** The feature flag; firmware that has none says at least whether PCIe is protected. */
function readMode(fields: Fields, protectedPcie: boolean | null): GpuMode | null {
  const value = fields.bytes('featureFlag', 2);
  if (value === null) return protectedPcie === null ? null : protectedPcie ? 'ppcie' : 'spt';
  const flag = (value[0] ?? 0) + 256 * (value[1] ?? 0);
  const mode = gpuModes[flag] ?? refuse(`featureFlag: expected 0 to ${gpuModes.length - 1}, got ${flag}`);
  if (protectedPcie !== null && protectedPcie !== (mode === 'ppcie'))
    refuse(`featureFlag says ${mode}, protectedPcieStatus says ${protectedPcie ? 'protected' : 'not protected'}`);
  return mode;
}

/** Reads the facts. @throws `STUN_GPU_REPORT_FORMAT` when a known field has a length or a value without a known meaning */
export function readGpuFacts(opaque: readonly GpuOpaqueField[]): GpuFacts {
  const fields = new Fields(opaque);
  const isSwitch = fields.bytes('positionId') !== null;
  const nvdec0 = fields.status('nvdec0Status');
  const protectedPcie = fields.status('protectedPcieStatus');
  const pdis = fields.bytes('pdis', isSwitch ? pdiBytes : undefined);
  const [switchPdi = null] = isSwitch ? fields.pdis(pdis, 'as-is') : [];
  // A switch lists its eight GPUs and then which port leads to which; a GPU writes its switches' identities last byte first.
  const gpuPdis = fields.bytes('gpuPdis', 128)?.subarray(0, 8 * pdiBytes) ?? null;
  const linkedPdis = isSwitch ? fields.pdis(gpuPdis, 'as-is') : fields.pdis(pdis, 'reversed');
  return Object.freeze({
    architecture: architectureOf(fields, isSwitch),
    driverVersion: fields.text('driverVersion'),
    vbiosVersion: vbiosVersion(fields, isSwitch),
    project: fields.text('project'),
    projectSku: fields.text('projectSku'),
    chipSku: fields.text('chipSku'),
    chip: fields.text('chipInfo'),
    nvdec0: nvdec0 === null ? null : nvdec0 ? 'enabled' : 'disabled',
    fwid: fields.bytes('fwid', 48),
    protectedPcie,
    mode: readMode(fields, protectedPcie),
    switchPdi,
    linkedPdis: Object.freeze(linkedPdis),
  });
}
