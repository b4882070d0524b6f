/** The one report on evidence, whatever the hardware: what the command line prints, the service answers with and a token is made from. */
import type { StunError } from '#protocol/errors/stun-error.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { Check } from '../checks.ts';
import type { GpuAssessment } from '../nvidia/assess.ts';
import type { PlatformSummary } from './summary.ts';
import { summarize } from './summary.ts';

/** Kinds of evidence. */
export type EvidenceKind = 'tdx' | 'sgx' | 'snp' | 'nvidia';

/** What was found of one thing that attests; `verified` and `validated` hold together for an acceptance. */
interface Finding extends PlatformSummary {
  /** The policy is satisfied, and the binding of report_data where one was asked for. False whenever `verified` is. */
  readonly validated: boolean;
  readonly checks: readonly Check[];
  /** Of the first failure. */
  readonly code?: ErrorCode;
  readonly reason?: string;
}

/** A report, the same on refusal. */
export interface EvidenceReport extends Finding {
  /** Null when the evidence could not be read so far. */
  readonly kind: EvidenceKind | null;
  /** The report on each GPU of a document that shows any, in its order: every check, also those that the policy skips. */
  readonly gpus?: readonly Finding[];
}

function findingOf(verified: Parameters<typeof summarize>[0], checks: readonly Check[], failure: StunError | null): Finding {
  const { verified: isVerified, ...facts } = summarize(verified);
  return {
    verified: isVerified,
    validated: isVerified && failure === null,
    ...facts,
    checks,
    ...(failure === null ? {} : { code: failure.code, reason: failure.message }),
  };
}

/**
 * Writes a report.
 * @param verified - what verification established; null when it failed
 * @param failure - the first failure; null for an acceptance
 * @param gpus - what was found of each GPU beside a CPU; what none of their reports can prove is said of the whole
 */
export function reportOf(
  kind: EvidenceKind | null,
  verified: Parameters<typeof summarize>[0],
  checks: readonly Check[],
  failure: StunError | null,
  gpus: readonly GpuAssessment[] = [],
): EvidenceReport {
  const report = { kind, ...findingOf(verified, checks, failure) };
  if (gpus.length === 0) return report;
  const unproven = [...new Set(gpus.flatMap((gpu) => gpu.verified?.unproven ?? []))];
  const findings = gpus.map((gpu) => findingOf(gpu.verified, gpu.checks, gpu.failure));
  return { ...report, ...(unproven.length > 0 && { unproven }), gpus: findings };
}
