/** Reading the fields of a policy: hex texts, lists of them, and checks that the customer decided not to make. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { isList } from '../json/capped-json.ts';
import type { FieldReader } from '../json/fields.ts';

/** A check that the customer decided not to make, and why. */
export interface Skip {
  readonly skip: string;
}

/** The code of everything that is wrong with a policy's form. */
export const policyFormat = 'STUN_POLICY_FORMAT';
/** Most entries of one list. */
export const maxEntries = 1024;

/** @throws `STUN_POLICY_FORMAT` */
export function refusePolicy(reason: string): never {
  throw new StunError(policyFormat, reason);
}

/** Whether a check is skipped. */
export function isSkip(value: unknown): value is Skip {
  return typeof value === 'object' && value !== null && 'skip' in value;
}

/** Exactly `length` bytes of lower-case hex with `0x`. */
export function hexText(text: string, length: number, what: string): string {
  if (!new RegExp(`^0x[0-9a-f]{${2 * length}}$`).test(text))
    refusePolicy(`${what} must be 0x and ${2 * length} lower-case hex digits`);
  return text;
}

/** A skip with its reason. */
export function readSkip(fields: FieldReader): Skip {
  fields.only('skip');
  const skip = fields.string('skip');
  if (skip === '') refusePolicy('skip must say why');
  return { skip };
}

/** A hex text, or a skip. */
export function hexOrSkip(fields: FieldReader, key: string, length: number): string | Skip {
  const value = fields.value(key);
  return typeof value === 'string' ? hexText(value, length, key) : readSkip(fields.object(key));
}

/** A list of hex texts. */
export function hexList(fields: FieldReader, key: string, length: number): readonly string[] {
  return fields.strings(key, maxEntries).map((text) => hexText(text, length, key));
}

/** A list of hex texts, or a skip. */
export function hexListOrSkip(fields: FieldReader, key: string, length: number): readonly string[] | Skip {
  return isList(fields.value(key)) ? hexList(fields, key, length) : readSkip(fields.object(key));
}
