/** Error codes of NVIDIA GPUs: parsing and verifying reports, judging them by policy. They stand in the table of the attestation area. */
import type { ErrorEntry } from './stun-error.ts';

export const gpuErrors = {
  STUN_GPU_REPORT_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The GPU report is cut short, or one of its lengths, codes or fields has no known meaning. Send the report exactly as the driver gave it.',
  },
  STUN_GPU_REPORT_VERSION: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The GPU report is of another version than SPDM 1.1 (0x11), the only one that is read. Send the report exactly as the driver gave it.',
  },
} as const satisfies Record<string, ErrorEntry>;
