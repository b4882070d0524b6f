/** `stun evidence verify --ear`: the word of a verifier that is trusted, instead of the evidence itself. */
import type { EvidenceReport, Policy } from '#attestation/index.ts';
import { assessEar } from '#attestation/ear/assess.ts';
import type { VerifiedEar } from '#attestation/ear/assess.ts';
import { parseJwks } from '#attestation/jose/jwks.ts';
import { unverifiedFacts } from '#attestation/evidence/summary.ts';
import { cryptoProvider } from '#attestation/crypto/provider.ts';
import { fromHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { EvidenceSource } from './evidence-source.ts';
import { readBytes, readTextFile } from './evidence-source.ts';

/** Options that name an attestation result, and one of the evidence that it must be about. */
export interface EarOptions extends Pick<EvidenceSource, 'quote' | 'report' | 'gpu' | 'evidence'> {
  /** The token, a file. */
  readonly ear?: string;
  /** Keys of verifiers that are trusted, a file with a JWKS. */
  readonly jwks?: string;
  /** The verifier that must have issued it; any with a trusted key when absent. */
  readonly issuer?: string;
  /** The keyset digest that the evidence must bind, 0x and 64 hex digits; with `ear`, whatever it binds when absent. */
  readonly keysetDigest?: string;
}

const kinds = ['tdx', 'sgx', 'snp', 'nvidia'] as const;

/** What the result tells of the platform, as far as it has the form of a report of this version. */
function factsOf({ report, kind, simulated }: VerifiedEar): Omit<EvidenceReport, 'verified' | 'validated' | 'checks'> {
  const text = (name: string): string | null => {
    const value = report[name];
    return typeof value === 'string' ? value : null;
  };
  const { advisoryIds, debug, unproven } = report;
  return {
    kind: kinds.find((known) => known === kind) ?? null,
    simulated,
    tcbStatus: text('tcbStatus'),
    platform: text('platform'),
    module: text('module'),
    qe: text('qe'),
    advisoryIds: Array.isArray(advisoryIds) ? advisoryIds.map(String) : [],
    debug: typeof debug === 'boolean' ? debug : null,
    ...(Array.isArray(unproven) ? { unproven: unproven.map(String) } : {}),
  };
}

const noKeyset = 'which keyset the evidence binds: no --keyset-digest was given, so the result may be about any enclave';
const noEvidence = 'which evidence the result is about: none of --evidence, --quote, --report and --gpu was given';

/**
 * Verifies an attestation result. The report has the shape of all others: `verified` and `validated` hold when the token does and
 * its verifier says so; the checks are those of the token. What the verifier checked stands in the token. What the options do not name is
 * not compared, and the report says so in `unproven`.
 * @throws `STUN_INPUT` | `STUN_FILE` | `STUN_JSON_FORMAT` | `STUN_JWKS_FORMAT`
 */
export async function earReport(
  { ear, jwks, issuer, keysetDigest, ...about }: EarOptions,
  { policy, atUnix }: { readonly policy: Policy; readonly atUnix: number },
): Promise<EvidenceReport> {
  if (ear === undefined || jwks === undefined) throw new StunError('STUN_INPUT', '--ear and --jwks belong together');
  const keys = parseJwks(await readTextFile(jwks, 'JWKS'));
  const token = (await readTextFile(ear, 'EAR')).trim();
  const evidence = about.evidence ?? about.quote ?? about.report ?? about.gpu;
  const { verified, validated, checks, failure } = assessEar({
    token,
    keys,
    issuer: issuer ?? null,
    policy,
    atUnix,
    keysetDigest: keysetDigest === undefined ? { skip: noKeyset } : fromHex(keysetDigest, 32, '--keyset-digest'),
    evidenceSha256: evidence === undefined ? { skip: noEvidence } : cryptoProvider.sha256(await readBytes(evidence, 'evidence')),
  });
  const facts = verified === null ? unverifiedFacts : factsOf(verified);
  const open = [
    ...(facts.unproven ?? []),
    ...(keysetDigest === undefined ? [noKeyset] : []),
    ...(evidence === undefined ? [noEvidence] : []),
  ];
  return {
    kind: null,
    ...facts,
    verified: verified?.verified ?? false,
    validated,
    ...(open.length === 0 ? {} : { unproven: open }),
    checks,
    ...(failure === null ? {} : { code: failure.code, reason: failure.message }),
  };
}
