/**
 * The scalar forms of the wire and the one reader of documents. Schemas hold strings as they travel; the `…FromWire` functions
 * beside them turn documents into the values of protocol/. docs/protocol.md section 1.
 */
import { z } from 'zod';
import { MAX_PRICE, PRICE_BITS } from '../demand.ts';
import { StunError } from '../errors/stun-error.ts';
import { fieldFromHex, fieldToHex } from '../field.ts';
import type { JubPoint } from '../babyjub.ts';
import type { EddsaSignature } from '../eddsa.ts';
import type { Hex } from '../bytes.ts';

/** A field element: `0x` and 64 lower-case hex digits, below r (checked when it is read). */
export const fieldHex = z.string().regex(/^0x[0-9a-f]{64}$/);
/** Any 32 bytes. */
export const bytes32Hex = z.string().regex(/^0x[0-9a-f]{64}$/);
/** Bytes of any length. */
export const bytesHex = z.string().regex(/^0x([0-9a-f]{2})*$/);
/** A 20-byte address in lower case. */
export const addressHex = z.string().regex(/^0x[0-9a-f]{40}$/);
/** An unsigned integer of at most 256 bits in decimal, without leading zeros. */
export const decimal = z.string().regex(/^(0|[1-9][0-9]{0,77})$/);
/** A price, in price units. */
export const priceDecimal = decimal.refine((price) => BigInt(price) <= MAX_PRICE, `must be below 2^${PRICE_BITS}`);
/** Unix seconds. */
export const unixSeconds = z
  .int()
  .min(0)
  .max(2 ** 40 - 1);
/** A BabyJubJub point. */
export const pointSchema = z.strictObject({ x: fieldHex, y: fieldHex });
/** An EdDSA signature. */
export const eddsaSchema = z.strictObject({ r8: pointSchema, s: bytes32Hex });

/**
 * Reads a document with a schema; unknown fields are refused by the strict schemas.
 * @throws `STUN_INPUT` naming every bad field, never its value
 */
export function readDocument<T>(schema: z.ZodType<T>, document: unknown, what: string): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => issue.path.join('.') || '(whole document)');
  const reasons = result.error.issues.slice(0, 5).map((issue, i) => `${fields[i]}: ${issue.message}`);
  throw new StunError('STUN_INPUT', `${what} is malformed: ${reasons.join('; ')}`, { details: { fields } });
}

/** A point from its wire form. @throws `STUN_RANGE` for coordinates of r or more */
export function pointFromWire(point: z.infer<typeof pointSchema>): JubPoint {
  return { x: fieldFromHex(point.x, 'x'), y: fieldFromHex(point.y, 'y') };
}

/** A point's wire form. */
export function pointToWire(point: JubPoint): z.infer<typeof pointSchema> {
  return { x: fieldToHex(point.x), y: fieldToHex(point.y) };
}

/** A signature from its wire form. */
export function eddsaFromWire(signature: z.infer<typeof eddsaSchema>): EddsaSignature {
  return { r8: pointFromWire(signature.r8), s: fieldFromHex(signature.s, 's') };
}

/** A signature's wire form. */
export function eddsaToWire(signature: EddsaSignature): z.infer<typeof eddsaSchema> {
  return { r8: pointToWire(signature.r8), s: fieldToHex(signature.s) };
}

/** A lower-case hex string as the branded type. */
export function asHex(text: string): Hex {
  if (!text.startsWith('0x')) throw new StunError('STUN_INPUT', 'hex must start with 0x');
  return text as Hex;
}

/** Canonical JSON (RFC 8785 for the values used here): keys sorted, no spaces; numbers must be integers. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    // The default order is the one of RFC 8785: by UTF-16 code units.
    const fields = value as Readonly<Record<string, unknown>>;
    const members = Object.keys(fields)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(fields[key])}`);
    return `{${members.join(',')}}`;
  }
  throw new StunError('STUN_INPUT', 'canonical JSON holds null, booleans, strings, integers, lists and objects only');
}
