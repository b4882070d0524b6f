/** Error codes of SEV-SNP: parsing and verifying reports, judging them by policy. They stand in the table of the attestation area. */
import type { ErrorEntry } from './stun-error.ts';

export const snpErrors = {
  STUN_SNP_REPORT_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The report does not have 1,184 bytes, or bytes that AMD reserves are not zero. Send the report exactly as the firmware gave it.',
  },
  STUN_SNP_REPORT_VERSION: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The report has a version that is not verified here. Versions 2 to 5 are.',
  },
  STUN_SNP_REPORT_ALGORITHM: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The report is not signed with ECDSA P-384 and SHA-384 (algorithm 1), the only one that is accepted. Pass on the report as the firmware gave it.',
  },
  STUN_SNP_ENDORSEMENTS_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'The endorsements do not have the layout of docs/attestation.md (vek, ask, ark, crl). The reason names the field.',
  },
  STUN_SNP_PRODUCT: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'Report, VEK and root do not name one product line of AMD (Milan, Genoa or Turin). Fetch the endorsements of this chip.',
  },
  STUN_SNP_SIGNER: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The report says that another kind of key signed it than the certificate given: VCEK and VLEK are not exchangeable, and an unsigned report proves nothing.',
  },
  STUN_SNP_REPORT_SIGNATURE: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The report is not signed by the key of the VEK certificate. Fetch the VEK of this chip and TCB, and pass on the report byte for byte; if it fails again, take the machine for dishonest.',
  },
  STUN_SNP_TCB: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: "The VEK certificate is for another TCB version than the report's REPORTED_TCB. Fetch the VEK of that version.",
  },
  STUN_SNP_HWID: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The VEK certificate is for another chip than the CHIP_ID of the report. Fetch the VEK certificate for the CHIP_ID in the report.',
  },
  STUN_POLICY_SNP_VERSION: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: "The report's version is below the policy's floor. Update the firmware.",
  },
  STUN_POLICY_SNP_PRODUCT: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The policy does not name this product line of AMD. Use another machine, or name the product line in the policy.',
  },
  STUN_POLICY_SNP_SIGNER: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'A VLEK signed the report and the policy does not name the cloud of its CSP_ID. Have the host endorse with a VCEK, or name the cloud in the policy if you trust it.',
  },
  STUN_POLICY_SNP_MIGRATION: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The guest may be associated with a migration agent, which can move it and its memory elsewhere. Start the guest without a migration agent.',
  },
  STUN_POLICY_SNP_GUEST_POLICY: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The guest policy lacks a bit that the policy requires, or has one that it does not admit. Start the guest with a policy as the verifier demands it.',
  },
  STUN_POLICY_SNP_ALIAS_CHECK: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The platform did not complete the memory alias check (BadRAM, AMD-SB-3015). Update firmware and BIOS.',
  },
  STUN_POLICY_SNP_PLATFORM: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The platform info lacks a bit that the policy requires, or has one that it does not admit. Change the settings of the host (firmware, SMT, memory encryption), or the policy.',
  },
  STUN_POLICY_SNP_TCB_ORDER: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The TCB versions of the report are not in order: reported at most committed, committed and launch at most current. Have the host commit its firmware update, and ask for a new report.',
  },
  STUN_POLICY_SNP_TCB: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: "A component of the reported or of the launch TCB is below the policy's floor. Update the firmware.",
  },
  STUN_POLICY_SNP_MITIGATIONS: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The report does not show the mitigations that the policy requires, at launch and now. Update the firmware and start the guest again.',
  },
  STUN_POLICY_SNP_VMPL: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The report was asked for from a privilege level (VMPL) that the policy does not admit. Ask for the report from the level that the policy names.',
  },
  STUN_POLICY_SNP_GUEST_SVN: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: "The guest's SVN is below the policy's floor. Start the newer guest image.",
  },
  STUN_POLICY_SNP_FIRMWARE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: "The committed firmware is older than the policy's floor. Update the firmware.",
  },
  STUN_POLICY_SNP_ID_KEY: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'The key that signed the ID block, or the author key, is not among those that the policy admits. Start the guest with an ID block that an admitted key signed.',
  },
  STUN_POLICY_SNP_HOST_DATA: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 403,
    doc: 'HOST_DATA is not among the values that the policy admits. Start the guest with HOST_DATA that the policy names.',
  },
} as const satisfies Record<string, ErrorEntry>;
