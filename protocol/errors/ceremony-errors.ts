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
} as const satisfies Record<string, ErrorEntry>;
