/**
 * What a customer admits. Every field is required: leaving one out is an error, and opting out of a check is written down as
 * `{ "skip": "reason" }`, which the report repeats as an unknown check.
 *
 * A policy is named by `policyId` (docs/protocol.md, tag 2), the hash of the text that {@link canonicalPolicyJson} gives.
 */
import type { JsonObject, JsonValue } from '../json/capped-json.ts';
import { parseCappedJson, parseCappedJsonBytes } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import type { TcbStatus } from '../intel/tcb-status.ts';
import { admissibleStatuses } from '../intel/tcb-status.ts';
import type { Skip } from './policy-fields.ts';
import {
  hexList,
  hexListOrSkip,
  hexOrSkip,
  hexText,
  isList,
  maxEntries,
  policyFormat,
  readSkip,
  refusePolicy,
} from './policy-fields.ts';
import type { SnpPolicy } from './snp-policy.ts';
import { readSnpPolicy } from './snp-policy.ts';

export type { Skip } from './policy-fields.ts';

/** Fields of the TD report that a policy can hold against reference values. */
export const measuredFields = [
  'mrTd',
  'rtMr0',
  'rtMr1',
  'rtMr2',
  'rtMr3',
  'mrConfigId',
  'mrOwner',
  'mrOwnerConfig',
  'mrSeam',
] as const;

/** Reference values of one TD image; each is 48 bytes as `0x` hex, or skipped with a reason. */
export type TdxMeasurement = { readonly [Field in (typeof measuredFields)[number]]: string | Skip };

/** What is admitted of TDX. Bit masks are 8 bytes as `0x` hex in the byte order of the quote (little-endian). */
export interface TdxPolicy {
  /** Final statuses that are admitted. */
  readonly tcbStatuses: readonly TcbStatus[];
  /** Advisories that may stand open with SWHardeningNeeded and ConfigurationAndSWHardeningNeeded. */
  readonly advisories: readonly string[];
  /** Floor of the collateral's tcbEvaluationDataNumber. */
  readonly minTcbEvaluationDataNumber: number;
  readonly requireRevocationData: boolean;
  readonly allowDebug: boolean;
  readonly requireSeptVeDisable: boolean;
  /** MRTDs of named paravisors that handle the exception themselves and may run without SEPT_VE_DISABLE. */
  readonly paravisorMrTds: readonly string[];
  /** TD attribute bits that may be set, DEBUG aside. */
  readonly tdAttributesMask: string;
  /** XFAM bits that must be set, and bits that may be. */
  readonly xfamRequired: string;
  readonly xfamMask: string;
  /** The TD must equal one of these. */
  readonly measurements: readonly TdxMeasurement[] | Skip;
  /** PPIDs that are admitted, 16 bytes each as `0x` hex. */
  readonly hardwareIds: readonly string[] | Skip;
  /** PPIDs that never are. */
  readonly deniedHardwareIds: readonly string[];
}

/** A policy. A kind of hardware that is null is refused; SGX and NVIDIA have no rules yet and are always null. */
export interface Policy {
  readonly version: 1;
  /** Whether simulated hardware is admitted. It protects nothing: for trial and tests. */
  readonly allowSimulated: boolean;
  readonly tdx: TdxPolicy | null;
  readonly sgx: null;
  readonly sevSnp: SnpPolicy | null;
  readonly nvidia: null;
}

function readMeasurement(fields: FieldReader): TdxMeasurement {
  fields.only(...measuredFields);
  return Object.fromEntries(measuredFields.map((name) => [name, hexOrSkip(fields, name, 48)])) as TdxMeasurement;
}

const tdxKeys = [
  'tcbStatuses',
  'advisories',
  'minTcbEvaluationDataNumber',
  'requireRevocationData',
  'allowDebug',
  'requireSeptVeDisable',
  'paravisorMrTds',
  'tdAttributesMask',
  'xfamRequired',
  'xfamMask',
  'measurements',
  'hardwareIds',
  'deniedHardwareIds',
] as const satisfies readonly (keyof TdxPolicy)[];

function readTdxPolicy(fields: FieldReader): TdxPolicy {
  fields.only(...tdxKeys);
  return {
    tcbStatuses: fields
      .strings('tcbStatuses', 16)
      .map(
        (text) =>
          admissibleStatuses.find((status) => status === text) ??
          refusePolicy(`tcbStatuses may name ${admissibleStatuses.join(', ')}`),
      ),
    advisories: fields.strings('advisories', maxEntries),
    minTcbEvaluationDataNumber: fields.integer('minTcbEvaluationDataNumber', 0, 0xffffffff),
    requireRevocationData: fields.boolean('requireRevocationData'),
    allowDebug: fields.boolean('allowDebug'),
    requireSeptVeDisable: fields.boolean('requireSeptVeDisable'),
    paravisorMrTds: hexList(fields, 'paravisorMrTds', 48),
    tdAttributesMask: hexText(fields.string('tdAttributesMask'), 8, 'tdAttributesMask'),
    xfamRequired: hexText(fields.string('xfamRequired'), 8, 'xfamRequired'),
    xfamMask: hexText(fields.string('xfamMask'), 8, 'xfamMask'),
    measurements: isList(fields.value('measurements'))
      ? fields.objects('measurements', maxEntries).map(readMeasurement)
      : readSkip(fields.object('measurements')),
    hardwareIds: hexListOrSkip(fields, 'hardwareIds', 16),
    deniedHardwareIds: hexList(fields, 'deniedHardwareIds', 16),
  };
}

function readNull(fields: FieldReader, key: string): null {
  return fields.value(key) === null ? null : refusePolicy(`${key} must be null: there are no rules for it yet`);
}

/**
 * Parses a policy and freezes it deeply.
 * @param input - JSON text, its UTF-8 bytes, or its value
 * @throws `STUN_JSON_FORMAT` | `STUN_POLICY_FORMAT`, naming the field
 */
export function parsePolicy(input: string | Uint8Array | JsonObject): Policy {
  const value: JsonValue =
    typeof input === 'string' ? parseCappedJson(input) : input instanceof Uint8Array ? parseCappedJsonBytes(input) : input;
  const fields = new FieldReader(value, 'policy', policyFormat);
  fields.only('version', 'allowSimulated', 'tdx', 'sgx', 'sevSnp', 'nvidia');
  fields.integer('version', 1, 1);
  return deepFreeze({
    version: 1,
    allowSimulated: fields.boolean('allowSimulated'),
    tdx: fields.value('tdx') === null ? null : readTdxPolicy(fields.object('tdx')),
    sgx: readNull(fields, 'sgx'),
    sevSnp: fields.value('sevSnp') === null ? null : readSnpPolicy(fields.object('sevSnp')),
    nvidia: readNull(fields, 'nvidia'),
  });
}

/** Freezes a value and everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

/**
 * The one text of a policy whose SHA-256 goes into policyId: keys sorted by UTF-16 code units, no whitespace.
 * Spec: RFC 8785 (JCS); policies hold strings, booleans, integers and null alone, so its number rules do not matter here.
 */
export function canonicalPolicyJson(policy: Policy): string {
  return canonical(policy);
}
