/** From the bytes of a GPU report to an answer: parse, verify, validate, and report on all of it, on refusal too. */
import { asStunError } from '#protocol/errors/registry.ts';
import type { StunError } from '#protocol/errors/stun-error.ts';
import type { Check } from '../checks.ts';
import { CheckLedger, gpuPolicyChecks, gpuVerificationChecks, rimChecks } from '../checks.ts';
import type { Policy } from '../policy/policy.ts';
import type { TrustRoot } from '../trust/roots.ts';
import { parseDeviceChain } from './device-chain.ts';
import { parseGpuReport } from './report.ts';
import { endsOf } from './revocation.ts';
import type { RimAssessment } from './rim/verify.ts';
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
 * Holds reference values against a verified report: `rim/hold.ts` makes one from RIM documents. It is handed in, so that who has no
 * reference values carries no reader of XML. It gets all OCSP responses: they are found by the certificate that they are about.
 */
export type HoldReferenceValues = (verified: VerifiedGpu, ocsp: readonly Uint8Array[]) => RimAssessment;

/** A verified report with what reference values say about it. They refute nothing of the report, but such a device is not accepted. */
function withReferenceValues(verified: VerifiedGpu, { driver, vbios, revocation, failure }: RimAssessment): VerifiedGpu {
  const held = [driver, vbios].filter((rim) => rim !== null);
  const ends = [...held.map(({ expiresAtUnix }) => expiresAtUnix), ...endsOf(revocation)];
  // A switch has no driver.
  const isComplete = vbios !== null && (driver !== null || verified.architecture === 'ls10');
  return Object.freeze({
    ...verified,
    simulated: verified.simulated || held.some(({ simulated }) => simulated),
    rimRevocation: revocation,
    rim: isComplete && failure === null ? 'checked' : 'unknown',
    collateralFailure: verified.collateralFailure ?? failure,
    collateralExpiresAtUnix: Math.min(verified.collateralExpiresAtUnix, ...ends),
  });
}

/**
 * Parses, verifies and validates a report and reports on all of it. Never throws for bad evidence: the answer carries the failure.
 * Does not check whose nonce it is: see `verifyEvidence`.
 * @param hold - reference values; without any `policy-rim` finds nothing to rest on
 */
export function assessGpu(input: GpuInput, hold: HoldReferenceValues | null = null): GpuAssessment {
  const ledger = new CheckLedger(...gpuVerificationChecks);
  let verified: VerifiedGpu;
  try {
    const report = ledger.prove('report-format', () => parseGpuReport(input.report));
    const chain = ledger.prove('chain-format', () => parseDeviceChain(input.chain));
    verified = runGpuVerification(ledger, report, { ...input, chain }, input.atUnix, input.roots);
  } catch (thrown) {
    const unknown = new CheckLedger(...(hold === null ? [] : rimChecks), ...gpuPolicyChecks).list();
    return { verified: null, validated: false, checks: [...ledger.list(), ...unknown], failure: asStunError(thrown) };
  }
  const rims = hold?.(verified, input.ocsp) ?? null;
  if (rims !== null) verified = withReferenceValues(verified, rims);
  const { checks, refusal } = assessGpuPolicy(verified, input.policy);
  const all = [...ledger.list(), ...(rims?.checks ?? []), ...checks];
  return { verified, validated: refusal === null, checks: all, failure: refusal };
}
