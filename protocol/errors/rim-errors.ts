/** Error codes of NVIDIA's reference values (RIM documents). They stand in the table of the attestation area. */
import type { ErrorEntry } from './stun-error.ts';

export const rimErrors = {
  STUN_XML_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'An XML document is malformed, too large or too deep, or has what is not read: a DTD, an entity, a comment, a CDATA section, a processing instruction. Send the document exactly as its issuer gave it.',
  },
  STUN_XML_SIGNATURE_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The XML signature leaves the one profile that is accepted: enveloped, over the whole document, Canonical XML 1.1, ECDSA P-384 with SHA-384. Fetch the document again from its issuer.',
  },
  STUN_RIM_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The document is not a RIM of NVIDIA with measurements. The reason names the element or attribute.',
  },
  STUN_RIM_SIGNATURE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: "The RIM's SignedInfo is not signed by the key of its signing certificate. Fetch the RIM again from NVIDIA's service.",
  },
  STUN_RIM_DIGEST: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: "The RIM was changed after it was signed. Fetch it again from NVIDIA's service.",
  },
  STUN_RIM_VERSION: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The RIM is for another version or chip than the report names. Fetch the RIM of the driver or VBIOS that runs.',
  },
  STUN_RIM_MEASUREMENT: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: "A measurement of the device is none of the RIM's values for its index: other firmware runs than NVIDIA released. Do not trust the device.",
  },
  STUN_RIM_INDEX: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'Driver RIM and VBIOS RIM both own a measurement, so one would hide what the other says. Fetch both again for the versions that run.',
  },
  STUN_RIM_UNKNOWN: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: "No RIM was given, so nothing says whether the device's measurements are NVIDIA's. Give the RIMs of driver and VBIOS.",
  },
} as const satisfies Record<string, ErrorEntry>;
