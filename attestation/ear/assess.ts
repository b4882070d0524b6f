/**
 * Reading an attestation result: signed by a key of the verifier that is trusted, at its time, of the profile, about the wanted keyset and
 * evidence under the wanted policy, and affirming.
 *
 * Nothing of the evidence is verified here: a result is the word of its signer.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { equalBytes, fromHex, toHex } from '#protocol/bytes.ts';
import type { Check } from '../checks.ts';
import { CheckLedger, earChecks } from '../checks.ts';
import type { PublicJwk } from '../jose/jwks.ts';
import { parseJws, verifyJws, verifyTokenTime } from '../jose/jws.ts';
import type { JsonObject } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import type { Policy } from '../policy/policy.ts';
import type { Skip } from '../policy/policy-fields.ts';
import { isSkip } from '../policy/policy-fields.ts';
import type { EarStatus } from './claims.ts';
import { earPolicyId, earProfile, earStatuses } from './claims.ts';

/** A check as a result tells of it; its id is not held against those of this version. */
export interface ReportedCheck {
  readonly id: string;
  readonly status: Check['status'];
  readonly code?: string;
}

/** What a result says, once its signature holds. */
export interface VerifiedEar {
  readonly status: EarStatus;
  readonly issuer: string;
  readonly build: string;
  readonly issuedAtUnix: number;
  readonly expiresAtUnix: number;
  /** As the name of the result's one appraisal: tdx, sgx, snp, nvidia, or unknown. */
  readonly kind: string;
  readonly verified: boolean;
  readonly validated: boolean;
  readonly simulated: boolean;
  readonly policyIds: readonly string[];
  readonly evidenceSha256: Uint8Array;
  readonly keysetDigest: Uint8Array | null;
  readonly reportedChecks: readonly ReportedCheck[];
  /** The whole report, as the verifier wrote it. */
  readonly report: JsonObject;
}

/** A token that nothing is known of. */
export interface EarTokenInput {
  readonly token: string;
  /** Keys of verifiers that are trusted. */
  readonly keys: readonly PublicJwk[];
  readonly atUnix: number;
  /** The verifier that must have issued it; null for any that holds a trusted key. */
  readonly issuer: string | null;
  /** The policy that the evidence must have been held against: the result names it. */
  readonly policy: Policy;
  /** The keyset that the evidence must have been found to bind, 32 bytes. A skip leaves the check unknown: the result may be about any enclave. */
  readonly keysetDigest: Uint8Array | Skip;
  /** SHA-256 of the bytes that the verifier must have been given, 32 bytes; or a skip, as above. */
  readonly evidenceSha256: Uint8Array | Skip;
}

/** The report on a token, on refusal too. */
export interface EarAssessment {
  /** Null when signature, time, issuer or form do not hold. */
  readonly verified: VerifiedEar | null;
  /** Whether the result affirms the evidence under the wanted policy; simulated evidence only where that policy admits it. */
  readonly validated: boolean;
  readonly checks: readonly Check[];
  readonly failure: StunError | null;
}

const code = 'STUN_EAR_FORMAT';
const maxChecks = 256;

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

function readStatus(fields: FieldReader): EarStatus {
  const text = fields.string('ear_status');
  return earStatuses.find((status) => status === text) ?? refuse(`expected an ear_status, got ${text.slice(0, 32)}`);
}

function readChecks(report: FieldReader): readonly ReportedCheck[] {
  return report.objects('checks', maxChecks).map((entry) => {
    const status = entry.string('status');
    if (status !== 'proven' && status !== 'refuted' && status !== 'unknown') refuse('expected a status of three values');
    const base = { id: entry.string('id'), status } as const;
    return entry.has('code') ? { ...base, code: entry.string('code') } : base;
  });
}

function digest(fields: FieldReader, name: string): Uint8Array {
  const text = fields.string(name);
  return /^0x[0-9a-f]{64}$/.test(text) ? fromHex(text) : refuse(`expected ${name} of 32 bytes in hex`);
}

function readEar(claims: JsonObject): VerifiedEar {
  const fields = new FieldReader(claims, 'ear', code);
  if (fields.string('eat_profile') !== earProfile) refuse(`expected the profile ${earProfile}`);
  const names = Object.keys(fields.value('submods') ?? {});
  const [kind = ''] = names;
  if (names.length !== 1) refuse(`expected one appraisal, got ${names.length}`);
  const appraisal = fields.object('submods').object(kind);
  const report = appraisal.object('stun_report');
  const status = readStatus(fields);
  const facts = ['verified', 'validated', 'simulated'].map((name) => report.boolean(name));
  const [verified = false, validated = false, simulated = true] = facts;
  if (readStatus(appraisal) !== status) refuse('expected one status in claims and appraisal');
  const affirmed = verified && validated;
  if ((status === 'affirming') !== (affirmed && !simulated) || (status === 'warning') !== (affirmed && simulated))
    refuse('expected a status that the report bears out');
  return Object.freeze({
    status,
    issuer: fields.string('iss'),
    build: fields.object('ear_verifier_id').string('build'),
    issuedAtUnix: fields.integer('iat', 0, Number.MAX_SAFE_INTEGER),
    expiresAtUnix: fields.integer('exp', 0, Number.MAX_SAFE_INTEGER),
    kind,
    verified,
    validated,
    simulated,
    policyIds: appraisal.strings('ear_appraisal_policy_ids', 16),
    evidenceSha256: digest(appraisal, 'stun_evidence_sha256'),
    keysetDigest: appraisal.value('stun_keyset_digest') === null ? null : digest(appraisal, 'stun_keyset_digest'),
    reportedChecks: readChecks(report),
    report: appraisal.value('stun_report') as JsonObject,
  });
}

/** Codes of every version: the registry with its texts would be most of a bundle. */
const codeForm = /^STUN_[A-Z0-9_]{1,60}$/;

/** Why a result does not affirm: the report's own reason, where it gives one. */
function statusFailure({ status, report }: VerifiedEar): StunError {
  const fields = new FieldReader(report, 'report', code);
  const own = fields.has('code') ? fields.string('code') : '';
  const reason = fields.has('reason') ? fields.string('reason').slice(0, 400) : 'the report gives no reason';
  return new StunError('STUN_EAR_STATUS', `${status}${codeForm.test(own) ? `, ${own}` : ''}: ${reason}`);
}

/** Holds what a result names to what is wanted; a skip leaves the check as it is, unknown. */
function compare(
  ledger: CheckLedger,
  id: 'ear-keyset' | 'ear-evidence',
  wanted: Uint8Array | Skip,
  named: Uint8Array | null,
): void {
  if (isSkip(wanted)) return;
  ledger.prove(id, () => {
    if (named !== null && equalBytes(named, wanted)) return;
    const errorCode = id === 'ear-keyset' ? 'STUN_EAR_KEYSET' : 'STUN_EAR_EVIDENCE';
    throw new StunError(
      errorCode,
      `expected a result about ${toHex(wanted)}, got one about ${named === null ? 'none' : toHex(named)}`,
    );
  });
}

/** Parses and verifies a token and reports on all of it. Never throws for a bad token. */
export function assessEar(input: EarTokenInput): EarAssessment {
  const { token, keys, atUnix, issuer, policy } = input;
  const ledger = new CheckLedger(...earChecks);
  let verified: VerifiedEar | null = null;
  let failure: StunError | null = null;
  try {
    const jws = ledger.prove('ear-format', () => parseJws(token));
    const claims = ledger.prove('ear-signature', () => verifyJws(jws, keys));
    ledger.prove('ear-issuer', () => {
      if (issuer !== null && claims['iss'] !== issuer)
        throw new StunError('STUN_TOKEN_ISSUER', `expected a result of ${issuer.slice(0, 100)}`);
    });
    ledger.prove('ear-time', () => verifyTokenTime(claims, atUnix));
    const ear = ledger.prove('ear-profile', () => readEar(claims));
    verified = ear;
    compare(ledger, 'ear-keyset', input.keysetDigest, ear.keysetDigest);
    compare(ledger, 'ear-evidence', input.evidenceSha256, ear.evidenceSha256);
    ledger.prove('ear-policy', () => {
      if (!ear.policyIds.includes(earPolicyId(policy)))
        throw new StunError('STUN_EAR_POLICY', `the evidence was not held against ${earPolicyId(policy)}`);
    });
    ledger.prove('ear-status', () => {
      if (ear.status !== 'affirming' && !(ear.status === 'warning' && policy.allowSimulated)) throw statusFailure(ear);
    });
  } catch (thrown) {
    failure = asStunError(thrown);
  }
  return { verified, validated: failure === null, checks: ledger.list(), failure };
}
