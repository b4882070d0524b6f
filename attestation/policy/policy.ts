/**
 * What a customer admits. Every field is required: leaving one out is an error, and opting out of a check is written down as
 * `{ "skip": "reason" }`, which the report repeats as an unknown check.
 *
 * A policy is named by `policyId` (docs/protocol.md, tag 2), the hash of the text that {@link canonicalPolicyJson} gives.
 */
import type { JsonObject, JsonValue } from '../json/capped-json.ts';
import { parseCappedJson, parseCappedJsonBytes } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import { policyFormat } from './policy-fields.ts';
import type { GpuPolicy } from './gpu-policy.ts';
import { readGpuPolicy } from './gpu-policy.ts';
import type { SgxPolicy } from './sgx-policy.ts';
import { readSgxPolicy } from './sgx-policy.ts';
import type { SnpPolicy } from './snp-policy.ts';
import { readSnpPolicy } from './snp-policy.ts';
import type { TdxPolicy } from './tdx-policy.ts';
import { readTdxPolicy } from './tdx-policy.ts';

/** A policy. A kind of hardware that is null is refused. */
export interface Policy {
  readonly version: 1;
  /** Whether simulated hardware is admitted. It protects nothing: for trial and tests. */
  readonly allowSimulated: boolean;
  readonly tdx: TdxPolicy | null;
  readonly sgx: SgxPolicy | null;
  readonly sevSnp: SnpPolicy | null;
  readonly nvidia: GpuPolicy | null;
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
    sgx: fields.value('sgx') === null ? null : readSgxPolicy(fields.object('sgx')),
    sevSnp: fields.value('sevSnp') === null ? null : readSnpPolicy(fields.object('sevSnp')),
    nvidia: fields.value('nvidia') === null ? null : readGpuPolicy(fields.object('nvidia')),
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
  const fields = new Map(Object.entries(value));
  const keys = [...fields.keys()].sort(); // by UTF-16 code units
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(fields.get(key))}`).join(',')}}`;
}

/**
 * The one text of a policy whose SHA-256 goes into policyId: keys sorted by UTF-16 code units, no whitespace.
 * Spec: RFC 8785 (JCS); policies hold strings, booleans, integers and null alone, so its number rules do not matter here.
 */
export function canonicalPolicyJson(policy: Policy): string {
  return canonical(policy);
}
