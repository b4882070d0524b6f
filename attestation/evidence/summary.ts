/** The part of a report on evidence that has one shape for every kind of hardware. */
import type { VerifiedGpu } from '../nvidia/verify.ts';
import type { VerifiedSgx } from '../sgx/verify.ts';
import type { VerifiedSnp } from '../snp/verify.ts';
import type { VerifiedTdx } from '../tdx/verify.ts';

/** What a kind of hardware does not have is null; everything that was not verified is null too. */
export interface PlatformSummary {
  readonly verified: boolean;
  readonly simulated: boolean;
  /** Intel's status with its parts; AMD gives none. */
  readonly tcbStatus: string | null;
  readonly platform: string | null;
  readonly module: string | null;
  readonly qe: string | null;
  readonly advisoryIds: readonly string[];
  readonly debug: boolean | null;
  /** What evidence of this kind cannot prove, in words; only kinds that have such a thing say it. */
  readonly unproven?: readonly string[];
}

/** Summarises what verification established; null when it failed. */
export function summarize(verified: VerifiedTdx | VerifiedSgx | VerifiedSnp | VerifiedGpu | null): PlatformSummary {
  const intel = verified === null || verified.kind === 'snp' || verified.kind === 'nvidia' ? null : verified;
  return {
    verified: verified !== null,
    simulated: verified?.simulated ?? false,
    tcbStatus: intel?.tcbStatus ?? null,
    platform: intel?.platform ?? null,
    module: intel?.module ?? null,
    qe: intel?.qe ?? null,
    advisoryIds: intel?.advisoryIds ?? [],
    debug: verified?.debug ?? null,
    ...(verified?.kind === 'nvidia' ? { unproven: verified.unproven } : {}),
  };
}

const { verified: _verified, ...nothing } = summarize(null);
/** The facts of a report where none of the hardware itself was verified. */
export const unverifiedFacts: Omit<PlatformSummary, 'verified'> = nothing;
