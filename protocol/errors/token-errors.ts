/** Error codes of signed tokens: JWS and JWKS, attestation results (EAR), answers of NVIDIA's service (NRAS). They stand in the table of the attestation area. */
import type { ErrorEntry } from './stun-error.ts';

export const tokenErrors = {
  STUN_JWS_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The token is not a compact JWS with ES256 or ES384, a kid and JSON claims. Send it exactly as its issuer gave it.',
  },
  STUN_JWKS_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The key set is not a JWKS with EC keys on P-256 or P-384 that have a kid each. Fetch it again from the issuer.',
  },
  STUN_JWS_KEY: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: "The key set has no key with the token's kid and algorithm. Fetch the issuer's newest key set; if the key is not there either, do not trust the token.",
  },
  STUN_JWS_SIGNATURE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The token is not signed by the key that it names. Do not trust it.',
  },
  STUN_TOKEN_TIME: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The token is not valid at the given time, or says nothing about time. Ask for a new one.',
  },
  STUN_TOKEN_ISSUER: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The token is of another issuer than expected. Ask the issuer that you named.',
  },
  STUN_TOKEN_NONCE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The token answers another challenge. Ask for one with your own nonce.',
  },
  STUN_NRAS_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: "The text is not the answer of NVIDIA's service: an overall token and one token for each device. The reason names the field.",
  },
  STUN_NRAS_RESULT: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: "NVIDIA's service did not attest the devices as a whole. Its claims say why.",
  },
  STUN_NRAS_DIGEST: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The token of a device is not the one that the overall token names. Ask for both again.',
  },
  STUN_NRAS_MEASUREMENT: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: "NVIDIA's service found measurements of a device that are not the reference values. Do not trust the device.",
  },
  STUN_NRAS_SECURE_BOOT: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'A device did not boot securely. Do not trust it.',
  },
  STUN_NRAS_DEBUG: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'A device has debugging enabled. Do not trust it.',
  },
  STUN_EAR_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The claims are not an attestation result (EAR) of the profile that is read. The reason names the claim.',
  },
  STUN_EAR_KEYSET: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: 'The attestation result is not about your enclave: it names another keyset or none. Ask the verifier about the keyset that you mean.',
  },
  STUN_EAR_EVIDENCE: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: 'The attestation result is about other bytes than your evidence. Name the evidence that the verifier was given, or ask it about yours.',
  },
  STUN_EAR_POLICY: {
    class: 'policy',
    actor: 'caller',
    httpStatus: 422,
    doc: 'The evidence was held against another policy than yours. Name the policy that was used, or ask the verifier with your own.',
  },
  STUN_EAR_STATUS: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The attestation result does not affirm the evidence. Its checks say what was refuted or stayed unknown.',
  },
} as const satisfies Record<string, ErrorEntry>;
