/** What a customer admits of Intel's platforms, TDX and SGX alike: status, advisories, age of the collateral, hardware. */
import type { FieldReader } from '../json/fields.ts';
import type { TcbStatus } from '../intel/tcb-status.ts';
import { admissibleStatuses } from '../intel/tcb-status.ts';
import { maxGraceSeconds } from '../intel/verify.ts';
import type { Skip } from './policy-fields.ts';
import { hexList, hexListOrSkip, maxEntries, refusePolicy } from './policy-fields.ts';

/** A status that is admitted within dates, `YYYY-MM-DDTHH:MM:SSZ` each; null leaves an end open. */
export interface StatusRule {
  readonly status: TcbStatus;
  /** The tcbDate of the evaluation must not lie before. */
  readonly tcbDateFrom: string | null;
  /** The time of verification must not lie after. */
  readonly admittedUntil: string | null;
}

/** An advisory that may stand open until a date, `YYYY-MM-DDTHH:MM:SSZ`. */
export interface AdvisoryRule {
  readonly id: string;
  readonly admittedUntil: string;
}

/** Rules that TDX and SGX share. */
export interface IntelPolicy {
  /** Final statuses that are admitted: by name, or within dates. */
  readonly tcbStatuses: readonly (TcbStatus | StatusRule)[];
  /** Advisories that may stand open when the status is another than UpToDate: by name, or until a date. */
  readonly advisories: readonly (string | AdvisoryRule)[];
  /** Advisories that refuse a platform whatever its status. */
  readonly deniedAdvisories: readonly string[];
  /** Floor of the collateral's tcbEvaluationDataNumber. */
  readonly minTcbEvaluationDataNumber: number;
  /** How long TCB Info, QE identity and CRLs are taken after their nextUpdate: 0 to 2,592,000 (30 days). */
  readonly collateralGraceSeconds: number;
  readonly requireRevocationData: boolean;
  readonly allowDebug: boolean;
  /** PPIDs that are admitted, 16 bytes each as `0x` hex. */
  readonly hardwareIds: readonly string[] | Skip;
  /** PPIDs that never are. */
  readonly deniedHardwareIds: readonly string[];
}

export const intelPolicyKeys = [
  'tcbStatuses',
  'advisories',
  'deniedAdvisories',
  'minTcbEvaluationDataNumber',
  'collateralGraceSeconds',
  'requireRevocationData',
  'allowDebug',
  'hardwareIds',
  'deniedHardwareIds',
] as const satisfies readonly (keyof IntelPolicy)[];

function readStatus(text: string): TcbStatus {
  return (
    admissibleStatuses.find((status) => status === text) ?? refusePolicy(`tcbStatuses may name ${admissibleStatuses.join(', ')}`)
  );
}

/** A time that must be one of the calendar; kept as text, so that the policy's own text stays canonical. */
function readTime(fields: FieldReader, key: string): string {
  fields.time(key);
  return fields.string(key);
}

function readTimeOrNull(fields: FieldReader, key: string): string | null {
  return fields.value(key) === null ? null : readTime(fields, key);
}

function readStatusRule(fields: FieldReader): StatusRule {
  fields.only('status', 'tcbDateFrom', 'admittedUntil');
  return {
    status: readStatus(fields.string('status')),
    tcbDateFrom: readTimeOrNull(fields, 'tcbDateFrom'),
    admittedUntil: readTimeOrNull(fields, 'admittedUntil'),
  };
}

function readAdvisoryRule(fields: FieldReader): AdvisoryRule {
  fields.only('id', 'admittedUntil');
  return { id: fields.string('id'), admittedUntil: readTime(fields, 'admittedUntil') };
}

/** Reads the shared part. @throws `STUN_POLICY_FORMAT`, naming the field */
export function readIntelPolicy(fields: FieldReader): IntelPolicy {
  return {
    tcbStatuses: fields
      .stringsOrObjects('tcbStatuses', 64)
      .map((entry) => (typeof entry === 'string' ? readStatus(entry) : readStatusRule(entry))),
    advisories: fields
      .stringsOrObjects('advisories', maxEntries)
      .map((entry) => (typeof entry === 'string' ? entry : readAdvisoryRule(entry))),
    deniedAdvisories: fields.strings('deniedAdvisories', maxEntries),
    minTcbEvaluationDataNumber: fields.integer('minTcbEvaluationDataNumber', 0, 0xffffffff),
    collateralGraceSeconds: fields.integer('collateralGraceSeconds', 0, maxGraceSeconds),
    requireRevocationData: fields.boolean('requireRevocationData'),
    allowDebug: fields.boolean('allowDebug'),
    hardwareIds: hexListOrSkip(fields, 'hardwareIds', 16),
    deniedHardwareIds: hexList(fields, 'deniedHardwareIds', 16),
  };
}
