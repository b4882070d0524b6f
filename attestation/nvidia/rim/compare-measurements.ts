/**
 * Runtime measurements of a report against the golden values of RIMs.
 * Source: NVIDIA/nvtrust, guest_tools/gpu_verifiers/local_gpu_verifier, the comparison of runtime and golden measurements.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { GoldenMeasurement, ReferenceManifest } from './reference-manifest.ts';

/** A measurement block of a report: its number, from 1, and its value. */
export interface RuntimeMeasurement {
  readonly index: number;
  readonly value: Uint8Array;
}

/** What of a report the comparison needs. */
export interface RuntimeMeasurements {
  readonly measurements: readonly RuntimeMeasurement[];
  /** Whether the report says that the video decoder NVDEC0 is disabled: its measurement then has no meaning. */
  readonly isNvdec0Disabled: boolean;
}

/** The RIM index of NVDEC0's measurement. */
export const nvdec0Index = 35;

function counts({ active, index }: GoldenMeasurement, { isNvdec0Disabled }: RuntimeMeasurements): boolean {
  return active && !(isNvdec0Disabled && index === nvdec0Index);
}

/**
 * Holds every active golden value of one RIM against the report. Each index is in the RIM once and must be in the report once, so a
 * RIM with more active values than the report has blocks is refused too.
 * @throws `STUN_RIM_MEASUREMENT` when the report lacks a measurement, has it twice, or has another value for it
 */
export function compareMeasurements(runtime: RuntimeMeasurements, rim: Pick<ReferenceManifest, 'measurements'>): void {
  const refuse = (reason: string): never => {
    throw new StunError('STUN_RIM_MEASUREMENT', reason);
  };
  for (const golden of rim.measurements) {
    if (!counts(golden, runtime)) continue;
    const { index, alternatives, sizeBytes } = golden;
    const [block, ...more] = runtime.measurements.filter((measurement) => measurement.index === index + 1);
    if (block === undefined || more.length > 0) return refuse(`the report has measurement ${index} not exactly once`);
    if (block.value.length !== sizeBytes || !alternatives.some((value) => equalBytes(value, block.value)))
      refuse(`measurement ${index} is none of the RIM's ${alternatives.length} values`);
  }
}

/**
 * That no measurement is owned by both RIMs: each would then take the other's value for its own.
 * @throws `STUN_RIM_INDEX`
 */
export function verifyIndexOwners(a: ReferenceManifest, b: ReferenceManifest): void {
  const owned = new Set(a.measurements.filter(({ active }) => active).map(({ index }) => index));
  const twice = b.measurements.find(({ active, index }) => active && owned.has(index));
  if (twice !== undefined)
    throw new StunError('STUN_RIM_INDEX', `measurement ${twice.index} is active in the ${a.kind} RIM and in the ${b.kind} RIM`);
}
