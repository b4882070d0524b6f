/** Where each check of an answer of NVIDIA's service comes from. docs/attestation.md lists the same, and a test holds the two equal. */
import type { nrasChecks } from '../../checks.ts';

/** Document and place of each check. */
export const nrasCheckSources: { readonly [Id in (typeof nrasChecks)[number]]: string } = {
  'nras-format': 'RFC 9711, detached EAT bundle; RFC 7515, section 7.1',
  'nras-signature': 'RFC 7515, section 5.2; RFC 7518, section 3.4',
  'nras-device-signature': 'RFC 7515, section 5.2; RFC 7518, section 3.4',
  'nras-device-digest': 'RFC 9711, submods, detached submodule digest',
  'nras-issuer': 'RFC 7519, section 4.1.1',
  'nras-time': 'RFC 7519, sections 4.1.4 to 4.1.6',
  'nras-nonce': 'RFC 9711, eat_nonce',
  'nras-result': 'NVIDIA/attestation-sdk@73c032e, overall claims',
  'nras-measurement': 'RFC 9711, measres; NVIDIA/attestation-sdk@73c032e, device claims',
  'nras-secure-boot': 'RFC 9711, oemboot; NVIDIA/attestation-sdk@73c032e, device claims, secboot',
  'nras-debug': 'RFC 9711, dbgstat; NVIDIA/attestation-sdk@73c032e, device claims',
  'nras-architecture': 'NVIDIA/attestation-sdk@73c032e, device claims, hwmodel',
  'nras-driver-version': 'NVIDIA/attestation-sdk@73c032e, device claims, x-nvidia-gpu-driver-version',
  'nras-vbios-version': 'NVIDIA/attestation-sdk@73c032e, device claims, x-nvidia-gpu-vbios-version',
};
