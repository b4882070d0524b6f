/**
 * The opaque data of a measurement report: a list of {type u16, length u16, value}, little-endian.
 *
 * Types beyond those named here occur and are kept as they are; one that comes twice is refused, because two readers could then
 * believe different things. What the values mean: `report-facts.ts`.
 * Source: NVIDIA/nvtrust@0281730, `spdm_msrt_resp_msg.py`, and NVIDIA/attestation-sdk@73c032e, `gpu_opaque_data.cpp`.
 */
import { concatBytes } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { ByteCursor, littleEndian } from '../byte-cursor.ts';

/** Types whose meaning is known. */
export const opaqueType = {
  driverVersion: 3,
  gpuInfo: 4,
  vbiosVersion: 6,
  nvdec0Status: 11,
  measurementCounts: 12,
  cprInfo: 13,
  boardId: 14,
  chipSku: 15,
  chipSkuModifier: 16,
  project: 17,
  projectSku: 18,
  projectSkuModifier: 19,
  fwid: 20,
  protectedPcieStatus: 21,
  pdis: 22,
  floorsweptPorts: 23,
  positionId: 24,
  lockStatus: 25,
  gpuPdis: 26,
  systemEnableStatus: 33,
  opaqueDataVersion: 34,
  chipInfo: 35,
  featureFlag: 36,
} as const;

/** One field. */
export interface GpuOpaqueField {
  /** 0 to 65,535. */
  readonly type: number;
  readonly value: Uint8Array;
}

const code = 'STUN_GPU_REPORT_FORMAT';

/** Parses opaque data, to the last byte. @throws `STUN_GPU_REPORT_FORMAT` */
export function parseOpaqueData(bytes: Uint8Array): readonly GpuOpaqueField[] {
  const cursor = new ByteCursor(bytes, code);
  const fields: GpuOpaqueField[] = [];
  const seen = new Set<number>();
  while (cursor.remaining > 0) {
    const type = cursor.uint(2, 'type of an opaque field');
    const value = cursor.take(cursor.uint(2, `length of opaque field ${type}`), `opaque field ${type}`);
    if (seen.has(type)) throw new StunError(code, `opaque field ${type} comes twice`);
    seen.add(type);
    fields.push(Object.freeze({ type, value }));
  }
  return Object.freeze(fields);
}

/** Writes opaque data: the inverse of {@link parseOpaqueData}. */
export function encodeOpaqueData(fields: readonly GpuOpaqueField[]): Uint8Array {
  return concatBytes(...fields.flatMap(({ type, value }) => [littleEndian(type, 2), littleEndian(value.length, 2), value]));
}
