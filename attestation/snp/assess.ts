/** From the bytes of a SEV-SNP report to an answer: parse, verify, validate, and report on all of it, on refusal too. */
import type { StunError } from '#protocol/errors/stun-error.ts';
import { asStunError } from '#protocol/errors/stun-error.ts';
import type { Check } from '../checks.ts';
import { CheckLedger, snpPolicyChecks, snpVerificationChecks } from '../checks.ts';
import type { Policy } from '../policy/policy.ts';
import type { TrustRoot } from '../trust/roots.ts';
import type { SnpEndorsementBytes, SnpEndorsementsJson } from './endorsements.ts';
import { decodeSnpEndorsements, parseSnpEndorsements } from './endorsements.ts';
import { parseSnpReport } from './report.ts';
import { assessSnpPolicy } from './validate.ts';
import type { VerifiedSnp } from './verify.ts';
import { runSnpVerification } from './verify.ts';

/** A report with its endorsements, as bytes that nothing is known of. */
export interface SnpInput {
  readonly report: Uint8Array;
  /** Certificates and CRL as in files (bytes), or as in an evidence document (hex). */
  readonly endorsements: SnpEndorsementBytes | SnpEndorsementsJson;
  readonly atUnix: number;
  readonly roots: readonly TrustRoot[];
  readonly policy: Policy;
}

/** The report on a report, on refusal too. `verified` and `validated` hold together for an acceptance. */
export interface SnpAssessment {
  /** What verification established; null when it failed. */
  readonly verified: VerifiedSnp | null;
  /** Whether the policy is satisfied. False whenever `verified` is null. */
  readonly validated: boolean;
  readonly checks: readonly Check[];
  /** The first failure; null when the report is accepted. */
  readonly failure: StunError | null;
}

function isBytes(endorsements: SnpEndorsementBytes | SnpEndorsementsJson): endorsements is SnpEndorsementBytes {
  return endorsements.vek instanceof Uint8Array;
}

/**
 * Parses, verifies and validates a report and reports on all of it. Never throws for bad evidence: the answer carries the failure.
 * Does not check what report_data binds: see `verifyEvidence`.
 */
export function assessSnp(input: SnpInput): SnpAssessment {
  const ledger = new CheckLedger(...snpVerificationChecks);
  let verified: VerifiedSnp;
  try {
    const report = ledger.prove('report-format', () => parseSnpReport(input.report));
    const endorsements = ledger.prove('endorsements-format', () =>
      parseSnpEndorsements(isBytes(input.endorsements) ? input.endorsements : decodeSnpEndorsements(input.endorsements)),
    );
    verified = runSnpVerification(ledger, report, endorsements, input.atUnix, input.roots);
  } catch (thrown) {
    const unknown = new CheckLedger(...snpPolicyChecks).list();
    return { verified: null, validated: false, checks: [...ledger.list(), ...unknown], failure: asStunError(thrown) };
  }
  const { checks, refusal } = assessSnpPolicy(verified, input.policy);
  return { verified, validated: refusal === null, checks: [...ledger.list(), ...checks], failure: refusal };
}
