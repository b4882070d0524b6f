/**
 * Where each check of SEV-SNP comes from. docs/attestation.md lists the same, and a test holds the two equal.
 *
 * ABI is "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860), revision 1.55 and later; KDS is "Versioned Chip
 * Endorsement Key (VCEK) Certificate and KDS Interface Specification" (AMD 57230).
 */
import type { snpPolicyChecks, snpVerificationChecks } from '../checks.ts';

type SnpCheckId = (typeof snpVerificationChecks)[number] | (typeof snpPolicyChecks)[number];

/** Document and place of each check. */
export const snpCheckSources: { readonly [Id in SnpCheckId]: string } = {
  'report-format': 'ABI, ATTESTATION_REPORT structure',
  'endorsements-format': 'KDS, certificate format; RFC 5280, sections 4 and 5; RFC 4055, section 3.1',
  'ark-product': 'KDS, certificate format, names of ARK and ASK',
  'ark-key': 'KDS interface, cert_chain of each product; RFC 8017, section 8.1',
  'chain-names': 'KDS, certificate format, subject and issuer names; RFC 5280, section 6.1',
  'chain-constraints': 'RFC 5280, sections 4.2.1.3, 4.2.1.9 and 6.1',
  'ask-signature': 'KDS, certificate format; RFC 8017, section 8.1',
  'vek-signature': 'KDS, certificate format; RFC 8017, section 8.1',
  'certificate-dates': 'RFC 5280, section 6.1.3',
  'ark-crl': 'KDS interface, crl; RFC 5280, sections 5 and 6.3',
  'certificate-revocation': 'KDS interface, crl; RFC 5280, section 6.3',
  'signer-kind': 'ABI, ATTESTATION_REPORT, SIGNING_KEY',
  product: 'KDS, certificate format, productName and structVersion; ABI, CPUID fields',
  'report-signature': 'ABI, ATTESTATION_REPORT, signature over bytes 0 to 29Fh',
  tcb: 'KDS, certificate format, SPL extensions; ABI, REPORTED_TCB',
  hwid: 'KDS, certificate format, hwID and cspID; ABI, CHIP_ID',
  'tcb-layout': 'ABI, TCB_VERSION structure',
  'policy-kind': 'docs/design.md section 6',
  'policy-simulated': 'docs/design.md section 6',
  'policy-revocation': 'docs/design.md section 6',
  'policy-report-version': 'docs/design.md section 6',
  'policy-product': 'docs/design.md section 6; arXiv 2605.12990 for Milan',
  'policy-signer': 'KDS, certificate format, cspID',
  'policy-debug': 'docs/design.md section 6; ABI, guest policy bit 19',
  'policy-migration': 'docs/design.md section 6; ABI, guest policy bit 18',
  'policy-guest-policy': 'ABI, guest policy structure',
  'policy-alias-check': 'docs/design.md section 6; AMD-SB-3015; ABI, PLATFORM_INFO bit 5',
  'policy-platform-info': 'ABI, PLATFORM_INFO',
  'policy-tcb-order': 'ABI, REPORTED_TCB, COMMITTED_TCB, CURRENT_TCB, LAUNCH_TCB',
  'policy-tcb': 'ABI, TCB_VERSION; AMD-SB-3019 for why floors matter',
  'policy-launch-tcb': 'ABI, LAUNCH_TCB',
  'policy-mitigations': 'ABI, LAUNCH_MIT_VECTOR and CURRENT_MIT_VECTOR (version 5)',
  'policy-vmpl': 'ABI, VMPL of the request',
  'policy-guest-svn': 'ABI, GUEST_SVN',
  'policy-firmware': 'ABI, COMMITTED_MAJOR, COMMITTED_MINOR, COMMITTED_BUILD',
  'policy-id-key': 'ABI, ID block and ID_KEY_DIGEST',
  'policy-author-key': 'ABI, AUTHOR_KEY_EN and AUTHOR_KEY_DIGEST',
  'policy-host-data': 'ABI, HOST_DATA',
  'policy-measurements': 'ABI, MEASUREMENT',
  'policy-hardware': 'docs/design.md section 6; ABI, CHIP_ID',
};
