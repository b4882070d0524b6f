/** Where each check of an attestation result comes from. docs/attestation.md lists the same, and a test holds the two equal. */
import type { earChecks } from '../checks.ts';

/** Document and place of each check. */
export const earCheckSources: { readonly [Id in (typeof earChecks)[number]]: string } = {
  'ear-format': 'RFC 7515, sections 3.1, 4.1 and 7.1',
  'ear-signature': 'RFC 7515, section 5.2; RFC 7518, section 3.4',
  'ear-issuer': 'RFC 7519, section 4.1.1',
  'ear-time': 'RFC 7519, sections 4.1.4 to 4.1.6',
  'ear-profile': 'draft-ietf-rats-ear-04, sections 3 and 4',
  'ear-keyset': 'docs/attestation.md, section Attestation results, stun_keyset_digest',
  'ear-evidence': 'docs/attestation.md, section Attestation results, stun_evidence_sha256',
  'ear-policy': 'draft-ietf-rats-ear-04, section 4, ear_appraisal_policy_ids',
  'ear-status': 'draft-ietf-rats-ear-04, section 4, ear_status',
};
