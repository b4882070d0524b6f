/** What a customer admits of TDX. Every field is required; opting out of a check is `{ "skip": "reason" }`. */
import { isList } from '../json/capped-json.ts';
import type { FieldReader } from '../json/fields.ts';
import type { IntelPolicy } from './intel-policy.ts';
import { intelPolicyKeys, readIntelPolicy } from './intel-policy.ts';
import type { Skip } from './policy-fields.ts';
import { hexList, hexListOrSkip, hexOrSkip, hexText, maxEntries, readSkip } from './policy-fields.ts';

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

/** Bit masks are 8 bytes as `0x` hex in the byte order of the quote (little-endian). */
export interface TdxPolicy extends IntelPolicy {
  readonly requireSeptVeDisable: boolean;
  /** MRTDs of named paravisors that handle the exception themselves and may run without SEPT_VE_DISABLE. */
  readonly paravisorMrTds: readonly string[];
  /** TD attribute bits that must be set; SEPT_VE_DISABLE has a check of its own. */
  readonly tdAttributesRequired: string;
  /** TD attribute bits that may be set, DEBUG aside. */
  readonly tdAttributesMask: string;
  /** XFAM bits that must be set, and bits that may be. */
  readonly xfamRequired: string;
  readonly xfamMask: string;
  /** The TD must equal one of these. */
  readonly measurements: readonly TdxMeasurement[] | Skip;
  /** MRSERVICETDs that are admitted, 48 bytes each. Zero, no service TD, always is. */
  readonly mrServiceTds: readonly string[] | Skip;
}

function readMeasurement(fields: FieldReader): TdxMeasurement {
  fields.only(...measuredFields);
  return Object.fromEntries(measuredFields.map((name) => [name, hexOrSkip(fields, name, 48)])) as TdxMeasurement;
}

const keys = [
  'requireSeptVeDisable',
  'paravisorMrTds',
  'tdAttributesRequired',
  'tdAttributesMask',
  'xfamRequired',
  'xfamMask',
  'measurements',
  'mrServiceTds',
] as const satisfies readonly (keyof TdxPolicy)[];

/** Reads the TDX part of a policy. @throws `STUN_POLICY_FORMAT`, naming the field */
export function readTdxPolicy(fields: FieldReader): TdxPolicy {
  fields.only(...intelPolicyKeys, ...keys);
  const mask = (key: string): string => hexText(fields.string(key), 8, key);
  return {
    ...readIntelPolicy(fields),
    requireSeptVeDisable: fields.boolean('requireSeptVeDisable'),
    paravisorMrTds: hexList(fields, 'paravisorMrTds', 48),
    tdAttributesRequired: mask('tdAttributesRequired'),
    tdAttributesMask: mask('tdAttributesMask'),
    xfamRequired: mask('xfamRequired'),
    xfamMask: mask('xfamMask'),
    measurements: isList(fields.value('measurements'))
      ? fields.objects('measurements', maxEntries).map(readMeasurement)
      : readSkip(fields.object('measurements')),
    mrServiceTds: hexListOrSkip(fields, 'mrServiceTds', 48),
  };
}
