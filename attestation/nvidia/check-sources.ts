/**
 * Where each check of NVIDIA's reports comes from. docs/attestation.md lists the same, and a test holds the two equal.
 *
 * SPDM is DMTF DSP0274 version 1.1.0; nvtrust is NVIDIA/nvtrust@0281730, the local verifier that NVIDIA publishes.
 */
import type { gpuPolicyChecks, gpuVerificationChecks } from '../checks.ts';

type GpuCheckId = (typeof gpuVerificationChecks)[number] | (typeof gpuPolicyChecks)[number];

/** Document and place of each check. */
export const gpuCheckSources: { readonly [Id in GpuCheckId]: string } = {
  'report-format': 'SPDM, GET_MEASUREMENTS and MEASUREMENTS; nvtrust spdm_msrt_resp_msg.py',
  'chain-format': 'RFC 7468, section 5; RFC 5280, section 4; RFC 5480, section 2',
  chain: 'nvtrust cc_admin_utils.py, verify_certificate_chain; RFC 5280, section 6.1',
  'report-signature': 'SPDM, MEASUREMENTS, signature over request and response',
  'chain-names': 'names in the chains of GH100, GB100 and LS10; RFC 5280, section 6.1',
  'chain-constraints': 'RFC 5280, sections 4.2.1.1, 4.2.1.3, 4.2.1.9 and 6.1',
  'certificate-dates': 'RFC 5280, section 6.1.3',
  architecture: 'nvtrust cc_admin.py, architecture of the report; names of the chain',
  fwid: 'TCG DICE Attestation Architecture 1.1, section 6.1.1; nvtrust cc_admin_utils.py, FWID',
  'device-identity': 'serials in the chains of GH100, GB100 and LS10; nvtrust, switch PDI',
  nonce: 'SPDM, GET_MEASUREMENTS, Nonce; docs/design.md section 6',
  ocsp: 'RFC 6960, sections 3.2 and 4.2.2; nvtrust cc_admin_utils.py, OCSP',
  'policy-kind': 'docs/design.md section 6',
  'policy-simulated': 'docs/design.md section 6',
  'policy-architecture': 'docs/design.md section 6',
  'policy-nonce': 'docs/design.md section 6',
  'policy-revocation': 'docs/design.md section 6; RFC 6960, section 2.2',
  'policy-hold': 'RFC 5280, section 5.3.1, certificateHold; nvtrust, OCSP',
  'policy-rim': 'docs/design.md section 6; nvtrust cc_admin.py, measurement comparison',
  'policy-rim-revocation': 'docs/design.md section 6; nvtrust cc_admin.py, OCSP of RIM certificates',
  'policy-debug': 'TCG DICE Attestation Architecture 1.1, section 6.1.1, OperationalFlags',
  'policy-mode': 'nvtrust, feature flag and protected PCIe status',
  'policy-driver': 'NVIDIA security bulletins for why floors matter',
  'policy-vbios': 'NVIDIA security bulletins for why floors matter',
  'policy-firmware': 'TCG DICE Attestation Architecture 1.1, section 6.1.1, FWID',
  'policy-hardware': 'docs/design.md section 6',
};
