/** From the bytes of a GPU report to an answer: parse, verify, validate, and report on all of it, on refusal too. */
import { asStunError } from '#protocol/errors/registry.ts';
import type { StunError } from '#protocol/errors/stun-error.ts';
import type { Check } from '../checks.ts';
import { CheckLedger, gpuPolicyChecks, gpuVerificationChecks } from '../checks.ts';
import type { Policy } from '../policy/policy.ts';
import type { TrustRoot } from '../trust/roots.ts';
import { parseDeviceChain } from './device-chain.ts';
import { parseGpuReport } from './report.ts';
import { assessGpuPolicy } from './validate.ts';
import type { GpuCollateral, VerifiedGpu } from './verify.ts';
import { runGpuVerification } from './verify.ts';

/** A report with its collateral, as bytes that nothing is known of. */
export interface GpuInput extends Omit<GpuCollateral, 'chain'> {
  readonly report: Uint8Array;
  /** The device's chain, PEM, device first. */
  readonly chain: string;
  readonly atUnix: number;
  readonly roots: readonly TrustRoot[];
  readonly policy: Policy;
}

/** The report on a report, on refusal too. `verified` and `validated` hold together for an acceptance. */
export interface GpuAssessment {
  /** What verification established; null when it failed. */
  readonly verified: VerifiedGpu | null;
  /** Whether the collateral refutes nothing and the policy is satisfied. False whenever `verified` is null. */
  readonly validated: boolean;
  readonly checks: readonly Check[];
  /** The first failure; null when the report is accepted. */
  readonly failure: StunError | null;
}

/**
 * Parses, verifies and validates a report and reports on all of it. Never throws for bad evidence: the answer carries the failure.
 * Does not check whose nonce it is: see `verifyEvidence`.
 */
export function assessGpu(input: GpuInput): GpuAssessment {
  const ledger = new CheckLedger(...gpuVerificationChecks);
  let verified: VerifiedGpu;
  try {
    const report = ledger.prove('report-format', () => parseGpuReport(input.report));
    const chain = ledger.prove('chain-format', () => parseDeviceChain(input.chain));
    verified = runGpuVerification(ledger, report, { ...input, chain }, input.atUnix, input.roots);
  } catch (thrown) {
    const unknown = new CheckLedger(...gpuPolicyChecks).list();
    return { verified: null, validated: false, checks: [...ledger.list(), ...unknown], failure: asStunError(thrown) };
  }
  const { checks, refusal } = assessGpuPolicy(verified, input.policy);
  return { verified, validated: refusal === null, checks: [...ledger.list(), ...checks], failure: refusal };
}
