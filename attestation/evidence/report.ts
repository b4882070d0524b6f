/** The one report on evidence, whatever the hardware: what the command line prints, the service answers with and a token is made from. */
import type { StunError } from '#protocol/errors/stun-error.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { Check } from '../checks.ts';
import type { PlatformSummary } from './summary.ts';
import { summarize } from './summary.ts';

/** Kinds of evidence. */
export type EvidenceKind = 'tdx' | 'sgx' | 'snp' | 'nvidia';

/** A report, the same on refusal. `verified` and `validated` hold together for an acceptance. */
export interface EvidenceReport extends PlatformSummary {
  /** Null when the evidence could not be read so far. */
  readonly kind: EvidenceKind | null;
  /** The policy is satisfied, and the binding of report_data where one was asked for. False whenever `verified` is. */
  readonly validated: boolean;
  readonly checks: readonly Check[];
  /** Of the first failure. */
  readonly code?: ErrorCode;
  readonly reason?: string;
}

/**
 * Writes a report.
 * @param verified - what verification established; null when it failed
 * @param failure - the first failure; null for an acceptance
 */
export function reportOf(
  kind: EvidenceKind | null,
  verified: Parameters<typeof summarize>[0],
  checks: readonly Check[],
  failure: StunError | null,
): EvidenceReport {
  const { verified: isVerified, ...facts } = summarize(verified);
  return {
    kind,
    verified: isVerified,
    validated: isVerified && failure === null,
    ...facts,
    checks,
    ...(failure === null ? {} : { code: failure.code, reason: failure.message }),
  };
}
