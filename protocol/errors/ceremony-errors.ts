/** Error codes of the trusted-setup ceremony. */
import type { ErrorEntry } from './stun-error.ts';

export const ceremonyErrors = {
  STUN_CEREMONY_PTAU_SIZE: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A powers-of-tau file has no size that was published: an error page, or not prepared. Get it again, from any place.',
  },
  STUN_CEREMONY_PTAU_DIGEST: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A powers-of-tau file has another BLAKE2b-512 digest than the published one. Do not use it; get it again, from another place.',
  },
  STUN_CEREMONY_PTAU_FORMAT: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A powers-of-tau file is not one of BN254 prepared for phase 2 with at least one contribution. Use a published prepared file.',
  },
  STUN_CEREMONY_PTAU_POWER: {
    class: 'input',
    actor: 'operator',
    httpStatus: 400,
    doc: 'A powers-of-tau file is too small for the circuit. Use the published file of the power that the reason names, or a larger one.',
  },
  STUN_CEREMONY_KEY_FORMAT: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A file is no whole Groth16 proving key over BN254 with a record of contributions. Get it again from whoever made it.',
  },
  STUN_CEREMONY_CIRCUIT: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A key or transcript belongs to another circuit or other powers of tau than those it is verified with. Use those it was started from.',
  },
  STUN_CEREMONY_CONTRIBUTION: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A contribution does not hold: its proof of knowledge, its transcript or the step of delta. Go back to the key before it.',
  },
  STUN_CEREMONY_BEACON: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A beacon is not what its value gives, or has a value or number of iterations out of range. Apply the announced beacon again.',
  },
  STUN_CEREMONY_KEY: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A proving key does not follow from its own contributions. Do not use it; go back to the key before the last step.',
  },
  STUN_CEREMONY_CLOSED: {
    class: 'input',
    actor: 'caller',
    httpStatus: 409,
    doc: 'A key ends with a beacon, so nothing can be added to it. Contribute to the key before the beacon.',
  },
  STUN_CEREMONY_INCOMPLETE: {
    class: 'policy',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A ceremony is not finished: it needs two contributions and then one beacon. Go on with `stun ceremony contribute` or `beacon`.',
  },
  STUN_CEREMONY_TRANSCRIPT: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A transcript is malformed, or is not the one that the key or the allow-list names. Take it from its publisher and verify it again.',
  },
  STUN_CEREMONY_NOT_ALLOWED: {
    class: 'policy',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A verification key is not on the list of allowed keys, or comes without a transcript. Verify its ceremony, then add it to the list.',
  },
  STUN_CEREMONY_STOPPED: {
    class: 'unavailable',
    actor: 'caller',
    httpStatus: 499,
    doc: 'A step of a ceremony was stopped before it wrote anything. Run it again; the files before it are as they were.',
  },
} as const satisfies Record<string, ErrorEntry>;
