/** Error codes of policies over Intel evidence, and of policies themselves. They stand in the table of the attestation area. */
import type { ErrorEntry } from './stun-error.ts';

export const policyErrors = {
  STUN_POLICY_FORMAT: {
    class: 'input',
    actor: 'customer',
    httpStatus: 400,
    doc: 'The policy does not have the form of docs/attestation.md: every field is required. The reason names the field.',
  },
  STUN_POLICY_KIND: {
    class: 'policy',
    actor: 'customer',
    httpStatus: 403,
    doc: 'The policy does not admit this kind of hardware. Use other hardware, or write rules for this kind into the policy.',
  },
  STUN_POLICY_SIMULATED: {
    class: 'policy',
    actor: 'customer',
    httpStatus: 403,
    doc: 'The hardware is simulated and the policy does not admit that. It protects nothing.',
  },
  STUN_POLICY_REVOCATION: {
    class: 'policy',
    actor: 'customer',
    httpStatus: 403,
    doc: 'The policy demands revocation data and the collateral has none. Fetch complete collateral.',
  },
  STUN_POLICY_COLLATERAL_AGE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'Collateral was verified after its nextUpdate, further than the policy gives grace for. Fetch current collateral.',
  },
  STUN_POLICY_EVALUATION_NUMBER: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: "The collateral's tcbEvaluationDataNumber is below the policy's floor. Fetch collateral with a later evaluation data number.",
  },
  STUN_POLICY_TCB_NOT_SUPPORTED: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'No TCB level of Intel matches the platform: it is older than every level that Intel lists.',
  },
  STUN_POLICY_TCB_REVOKED: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: "Intel revoked the platform's TCB level. No policy can admit it.",
  },
  STUN_POLICY_TCB_STATUS: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The TCB status is not among those that the policy admits. Update firmware, or loosen the policy in writing.',
  },
  STUN_POLICY_ADVISORY: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'An advisory stands open that the policy does not list, lists no longer, or denies. Update the platform as the advisory says, or list it in the policy after reading it.',
  },
  STUN_POLICY_DEBUG: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The TD, guest or enclave runs in debug mode: its memory can be read. It protects nothing.',
  },
  STUN_POLICY_SEPT_VE_DISABLE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The TD runs without SEPT_VE_DISABLE and its MRTD is no paravisor that the policy names. Start the TD with SEPT_VE_DISABLE.',
  },
  STUN_POLICY_TD_ATTRIBUTES: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The TD has attribute bits that the policy does not admit. Start the TD without them, or admit them in the policy.',
  },
  STUN_POLICY_SERVICE_TD: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'A service TD that the policy does not name is bound to the TD (MRSERVICETD). Start the TD without the service TD, or name it in the policy.',
  },
  STUN_POLICY_ENCLAVE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The SGX enclave is none of those that the policy names (MRENCLAVE, MRSIGNER, ISVPRODID, ISVSVN). Run an enclave that the policy names, or add its identity after building it yourself.',
  },
  STUN_POLICY_XFAM: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: "The TD's XFAM lacks fixed bits or has bits that the policy does not admit. Start the TD with features as the policy has them.",
  },
  STUN_POLICY_MEASUREMENT: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'MRTD or an RTMR is not among the reference values of the policy. Boot the image that was measured, or add its values to the policy after building it yourself.',
  },
  STUN_POLICY_HARDWARE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The hardware identity is denied, or is not among those that the policy admits. Use an admitted machine, or change the list after asking why it is there.',
  },
} as const satisfies Record<string, ErrorEntry>;
