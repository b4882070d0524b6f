/**
 * Where each check of TDX and SGX evidence, and of evidence documents, comes from. docs/attestation.md lists the same, and a test
 * holds the two equal.
 *
 * QVL is intel/confidential-computing.tee.dcap.qvl, the library `QuoteVerification`.
 */
import type {
  evidenceChecks,
  sgxPolicyChecks,
  sgxVerificationChecks,
  tdxPolicyChecks,
  tdxVerificationChecks,
} from '../checks.ts';

type Sources<Id extends string> = { readonly [Check in Id]: string };

const ofBoth = {
  'quote-format': 'Intel TDX DCAP Quoting Library API, appendix 3; QVL Quote.cpp',
  'collateral-format': 'this page, "Collateral"; RFC 5280, RFC 7468, X.690',
  'pck-chain': 'QVL PckCertVerifier; RFC 5280 section 6',
  'pck-extension': 'Intel PCK certificate profile, SGX extension 1.2.840.113741.1.13.1',
  'pck-crl-issuer-chain': 'QVL PckCertVerifier; RFC 5280 section 6.3',
  'tcb-info-chain': 'QVL TCBSigningChain; RFC 5280 section 6',
  'qe-identity-chain': 'QVL TCBSigningChain; RFC 5280 section 6',
  'root-ca-crl': 'QVL PckCrlVerifier; RFC 5280 section 5',
  'pck-crl': 'QVL PckCrlVerifier; RFC 5280 section 5',
  'certificate-revocation': 'QVL PckCertVerifier; RFC 5280 section 6.3',
  'tcb-info-signature': 'Intel PCS API v4, Get TDX TCB Info',
  'tcb-info-content': 'Intel PCS API v4, Get TDX TCB Info; QVL TcbInfo',
  'tcb-info-dates': 'Intel PCS API v4, Get TDX TCB Info',
  'tcb-info-platform': 'QVL QuoteVerifier, FMSPC and PCEID',
  'qe-identity-signature': 'Intel PCS API v4, Get TDX QE Identity',
  'qe-identity-content': 'Intel PCS API v4, Get TDX QE Identity; QVL EnclaveIdentityV2',
  'qe-identity-dates': 'Intel PCS API v4, Get TDX QE Identity',
  'evaluation-number': 'Intel PCS API v4: one tcbEvaluationDataNumber per TCB recovery',
  'qe-report-signature': 'QVL QuoteVerifier, QE report signature',
  'qe-report-binding': 'QVL QuoteVerifier, QE report data',
  'qe-report-identity': 'QVL EnclaveReportVerifier',
  'quote-signature': 'QVL QuoteVerifier, quote signature',
  'policy-kind': 'docs/design.md section 6',
  'policy-simulated': 'docs/design.md section 6',
  'policy-revocation': 'docs/design.md section 6',
  'policy-evaluation-number': 'docs/design.md section 6',
  'policy-tcb-status': 'docs/design.md section 6',
  'policy-advisories': 'docs/design.md section 6',
  'policy-debug': 'docs/design.md section 6',
  'policy-hardware': 'docs/design.md section 6',
  'policy-collateral-age': 'this page, "Policy"',
  'tcb-evaluation': 'QVL EvaluateTcb.cpp; Intel PCS API, TCB Info, tcbLevels',
} as const;

/** Document and place of each check of a TDX quote. */
export const tdxCheckSources: Sources<(typeof tdxVerificationChecks)[number] | (typeof tdxPolicyChecks)[number]> = {
  ...ofBoth,
  'tdx-module-identity': 'QVL QuoteVerifier, 4.1.2.5.12',
  'policy-sept-ve-disable': 'docs/design.md section 6',
  'policy-td-attributes': 'docs/design.md section 6',
  'policy-xfam': 'docs/design.md section 6',
  'policy-measurements': 'docs/design.md section 6',
  'policy-service-td': 'Intel TDX Module Base Architecture, MRSERVICETD; docs/design.md section 6',
};

/** Document and place of each check of an SGX quote. */
export const sgxCheckSources: Sources<(typeof sgxVerificationChecks)[number] | (typeof sgxPolicyChecks)[number]> = {
  ...ofBoth,
  'policy-enclave': 'Intel SDM volume 3D, section 35.15 (REPORT); docs/design.md section 6',
};

/** Document and place of each check that an evidence document adds. */
export const evidenceCheckSources: Sources<(typeof evidenceChecks)[number]> = {
  'evidence-format': 'this page, "Evidence document"',
  'evidence-kind': 'this page, "Evidence document"',
  'evidence-gpu': 'this page, "Evidence document"',
  'policy-gpus': 'this page, "Evidence document"',
  'evidence-simulated-tag': 'docs/design.md section 6',
  'report-data': 'docs/protocol.md section 4',
};
