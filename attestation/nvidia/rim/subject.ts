/** What of a measurement report RIM documents are held against. */
import type { GpuReport } from '../report.ts';
import type { RimSubject } from './verify.ts';

/**
 * Takes it from a parsed report. Nothing is verified here: the report's signature covers all of it.
 * @param architecture - what the device's certificates say; null when that is not known, and then no RIM fits
 */
export function rimSubjectOf(report: GpuReport, architecture: RimSubject['architecture']): RimSubject {
  const { driverVersion, vbiosVersion, nvdec0 } = report.facts;
  return Object.freeze({
    architecture,
    driverVersion,
    vbiosVersion,
    isNvdec0Disabled: nvdec0 === 'disabled',
    measurements: report.measurements,
  });
}
