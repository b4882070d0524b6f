/**
 * Attestation results (EAR): what a verifier found, as claims that it signs for whoever trusts it.
 *
 * The status is never better than the report: `affirming` is verified and validated on real hardware, `warning` the same on
 * simulated hardware, `contraindicated` that something was refuted, `none` everything else. The report goes along, so that a reader
 * sees each check. A result does not say that the evidence is recent, and is worth what the policy is worth that it names.
 * Source: draft-ietf-rats-ear-04, sections 3 and 4; draft-ietf-rats-ar4si, section 2.3, for tiers and vector.
 */
import { toHex, utf8 } from '#protocol/bytes.ts';
import type { CheckId } from '../checks.ts';
import { rimChecks } from '../checks.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { EvidenceReport } from '../evidence/report.ts';
import type { JsonObject } from '../json/capped-json.ts';
import type { Policy } from '../policy/policy.ts';
import { canonicalPolicyJson } from '../policy/policy.ts';

/** Profile of the claims. */
export const earProfile = 'tag:ietf.org,2026:rats/ear#04';
/** Statuses, as the profile writes them. */
export const earStatuses = ['none', 'affirming', 'warning', 'contraindicated'] as const;
export type EarStatus = (typeof earStatuses)[number];

/** What a result is made of. */
export interface EarInput {
  readonly report: EvidenceReport;
  /** The exact bytes of what was verified: an evidence document, a quote or a report. */
  readonly evidence: Uint8Array;
  readonly policy: Policy;
  /** What the evidence was found to bind, 32 bytes; null when nobody asked. */
  readonly keysetDigest: Uint8Array | null;
  /** When the evidence was verified, which is when the result is issued, unix seconds. */
  readonly issuedAtUnix: number;
  readonly expiresAtUnix: number;
  /** Who answers for the result: the origin of a service. */
  readonly issuer: string;
  /** Name and version of the verifying program. */
  readonly build: string;
}

/** Trust tiers: the values that stand for a whole tier. */
const tier = { none: 0, affirming: 2, warning: 32, contraindicated: 96 } as const;

/** The policy that a result names, so that a reader can hold it against the one it wants. */
export function earPolicyId(policy: Policy): string {
  return `urn:stun:policy-sha256:${toHex(cryptoProvider.sha256(utf8(canonicalPolicyJson(policy)))).slice(2)}`;
}

/** The status of a report. */
export function earStatusOf({ verified, validated, simulated, checks }: EvidenceReport): EarStatus {
  if (verified && validated) return simulated ? 'warning' : 'affirming';
  return checks.some(({ status }) => status === 'refuted') ? 'contraindicated' : 'none';
}

/**
 * The trust vector: only what checks speak of. `hardware` is the verification, the others are each the worst of some checks. Of a switch,
 * which has no driver, the reference values affirm nothing.
 */
function vectorOf(report: EvidenceReport): JsonObject {
  const of = (...ids: readonly CheckId[]): number | null => {
    const statuses = report.checks.filter(({ id }) => ids.includes(id)).map(({ status }) => status);
    if (statuses.length === 0) return null;
    if (statuses.includes('refuted')) return tier.contraindicated;
    return statuses.includes('unknown') ? tier.none : tier.affirming;
  };
  const refuted = report.checks.some(({ status }) => status === 'refuted');
  const hardware = report.verified
    ? report.simulated
      ? tier.warning
      : tier.affirming
    : refuted
      ? tier.contraindicated
      : tier.none;
  const entries = {
    hardware,
    'instance-identity': of('report-data'),
    configuration: of('policy-debug'),
    executables: of('policy-measurements', ...rimChecks),
  };
  return Object.fromEntries(Object.entries(entries).filter((entry): entry is [string, number] => entry[1] !== null));
}

/** Builds the claims. Pure: time, issuer and everything else are arguments. */
export function buildEarClaims(input: EarInput): JsonObject {
  const { report, keysetDigest } = input;
  const status = earStatusOf(report);
  const appraisal: JsonObject = {
    ear_status: status,
    ear_trustworthiness_vector: vectorOf(report),
    ear_appraisal_policy_ids: [earPolicyId(input.policy)],
    stun_evidence_sha256: toHex(cryptoProvider.sha256(input.evidence)),
    stun_keyset_digest: keysetDigest === null ? null : toHex(keysetDigest),
    stun_report: JSON.parse(JSON.stringify(report)) as JsonObject,
  };
  return {
    eat_profile: earProfile,
    iss: input.issuer,
    iat: input.issuedAtUnix,
    exp: input.expiresAtUnix,
    ear_status: status,
    ear_verifier_id: { developer: 'STUN', build: input.build },
    submods: { [report.kind ?? 'unknown']: appraisal },
  };
}
