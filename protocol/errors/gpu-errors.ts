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
  STUN_GPU_REPORT_SIGNATURE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The GPU report is not signed by the key of the first certificate of its chain. Ask for new evidence.',
  },
  STUN_GPU_ARCHITECTURE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The report claims another architecture or chip than its certificate chain is of. Send each report with the chain of its own device.',
  },
  STUN_GPU_FWID: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: "The digest of the device's first firmware (FWID) is missing from its certificate, malformed or another than the report's. Ask for new evidence.",
  },
  STUN_GPU_DEVICE_IDENTITY: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: "The device's own certificate names no device, or another one than the report. Send each report with the chain of its own device.",
  },
  STUN_GPU_DUPLICATE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'Two GPU reports of one document are of the same device. Send one report for each device.',
  },
  STUN_GPU_NONCE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The GPU report was asked for with another nonce. Ask for new evidence with the nonce that is expected.',
  },
  STUN_OCSP_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'An OCSP response is no successful basic response about one certificate with SHA-256 or SHA-384 digests. Fetch it again.',
  },
  STUN_OCSP_MISMATCH: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: 'An OCSP response is about another certificate. Give the response about the certificate that is asked about.',
  },
  STUN_OCSP_RESPONDER: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: "An OCSP responder's certificate is not the issuer's own delegate for OCSP, or is outside its dates. Fetch the response again.",
  },
  STUN_OCSP_SIGNATURE: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: 'An OCSP response is not signed by its responder. Fetch it again.',
  },
  STUN_OCSP_NOT_YET_VALID: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: 'An OCSP response begins after the time it should hold at. Fetch one for that time, or correct the time.',
  },
  STUN_OCSP_EXPIRED: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: 'An OCSP response ended before the time it should hold at. Fetch a fresh one.',
  },
  STUN_OCSP_HOLD: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'A certificate of the device or of its reference values is on hold (certificateHold). Ask its vendor; a policy may admit it in so many words.',
  },
  STUN_POLICY_GPU_ARCHITECTURE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The policy does not name the architecture of the GPU or switch. Use another device, or name the architecture in the policy.',
  },
  STUN_POLICY_GPU_NONCE: {
    class: 'policy',
    actor: 'caller',
    httpStatus: 403,
    doc: 'The policy demands a nonce and none was given. Name the nonce that the report was asked for with.',
  },
  STUN_POLICY_GPU_HOLD: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'A certificate of the device or of its reference values is on hold and the policy does not admit that. Ask NVIDIA why, and admit holds only when the answer satisfies you.',
  },
  STUN_POLICY_GPU_RIM: {
    class: 'policy',
    actor: 'caller',
    httpStatus: 403,
    doc: 'The policy demands reference values (RIM documents) and none were held against the measurements. Give those of driver and VBIOS.',
  },
  STUN_POLICY_GPU_MODE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The GPU is in a mode (spt, mpt, ppcie) that the policy does not name, or does not say which. Set the GPU to a mode that the policy names, and start it again.',
  },
  STUN_POLICY_GPU_VERSION: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The driver or VBIOS of the GPU is below the floor of the policy. Update it.',
  },
  STUN_POLICY_GPU_COUNT: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The policy demands more GPUs than the evidence shows. Choose an enclave that shows them; a worker shows its GPUs when its settings have a section `gpu`.',
  },
  STUN_POLICY_GPU_FIRMWARE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: "The first firmware of the GPU (FWID) is not among the policy's values. Update the firmware, or add its value to the policy after checking where it is from.",
  },
} as const satisfies Record<string, ErrorEntry>;
