/** `stun evidence verify --ear`: the word of a verifier that is trusted, instead of the evidence itself. */
import type { EvidenceReport, Policy } from '#attestation/index.ts';
import { assessEar } from '#attestation/ear/assess.ts';
import type { VerifiedEar } from '#attestation/ear/assess.ts';
import { parseJwks } from '#attestation/jose/jwks.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { readTextFile } from './evidence-source.ts';

/** Options that name an attestation result. */
export interface EarOptions {
  /** The token, a file. */
  readonly ear?: string;
  /** Keys of verifiers that are trusted, a file with a JWKS. */
  readonly jwks?: string;
  /** The verifier that must have issued it; any with a trusted key when absent. */
  readonly issuer?: string;
}

const none = { simulated: false, tcbStatus: null, platform: null, module: null, qe: null, advisoryIds: [], debug: null } as const;
const kinds = ['tdx', 'sgx', 'snp', 'nvidia'] as const;

/** What the result tells of the platform, as far as it has the form of a report of this version. */
function factsOf({ report, kind, simulated }: VerifiedEar): Omit<EvidenceReport, 'verified' | 'validated' | 'checks'> {
  const text = (name: string): string | null => {
    const value = report[name];
    return typeof value === 'string' ? value : null;
  };
  const { advisoryIds, debug } = report;
  return {
    kind: kinds.find((known) => known === kind) ?? null,
    simulated,
    tcbStatus: text('tcbStatus'),
    platform: text('platform'),
    module: text('module'),
    qe: text('qe'),
    advisoryIds: Array.isArray(advisoryIds) ? advisoryIds.map(String) : [],
    debug: typeof debug === 'boolean' ? debug : null,
  };
}

/**
 * Verifies an attestation result. The report has the shape of all others: `verified` and `validated` hold when the token does and
 * its verifier says so; the checks are those of the token. What the verifier checked stands in the token.
 * @throws `STUN_INPUT` | `STUN_FILE` | `STUN_JSON_FORMAT` | `STUN_JWKS_FORMAT`
 */
export async function earReport(
  { ear, jwks, issuer }: EarOptions,
  { policy, atUnix }: { readonly policy: Policy; readonly atUnix: number },
): Promise<EvidenceReport> {
  if (ear === undefined || jwks === undefined) throw new StunError('STUN_INPUT', '--ear and --jwks belong together');
  const keys = parseJwks(await readTextFile(jwks, 'JWKS'));
  const token = (await readTextFile(ear, 'EAR')).trim();
  const { verified, validated, checks, failure } = assessEar({ token, keys, issuer: issuer ?? null, policy, atUnix });
  return {
    kind: null,
    ...(verified === null ? none : factsOf(verified)),
    verified: verified?.verified ?? false,
    validated,
    checks,
    ...(failure === null ? {} : { code: failure.code, reason: failure.message }),
  };
}
