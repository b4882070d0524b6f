/** Scalars in width-5 non-adjacent form: digits 0 or odd in -15..15, at most one of five in a row not 0. Not for secrets: time depends on them. */
import { FIELD_ORDER } from '#protocol/field.ts';

const WIDTH = 5;
/** Places of a scalar below 2^254 and the carry. */
export const DIGITS = 256;
/** Odd multiples that digits select: 1, 3, .. 15. */
export const ODD_MULTIPLES = 2 ** (WIDTH - 2);

const ORDER_BYTES = Uint8Array.from({ length: 32 }, (_, i) => Number((FIELD_ORDER >> BigInt(8 * i)) & 0xffn));
/** Above this top byte a scalar is larger than about half the order, and its negative has fewer digits. */
const HALF_TOP = ORDER_BYTES[31]! >> 1;

/** order - scalar, little-endian. */
function negate(scalar: Uint8Array): Uint8Array {
  const result = new Uint8Array(32);
  let borrow = 0;
  for (let i = 0; i < 32; i++) {
    const difference = ORDER_BYTES[i]! - scalar[i]! - borrow;
    result[i] = difference & 0xff;
    borrow = difference < 0 ? 1 : 0;
  }
  return result;
}

/**
 * Writes the digits of a scalar: the sum of digit[i]·2^i is congruent to it modulo r.
 * @param scalar - 32 bytes, little-endian, canonical
 * @param digits - {@link DIGITS} places to overwrite
 * @returns the place of the highest digit that is not 0, -1 for the scalar 0
 */
export function signedDigits(scalar: Uint8Array, digits: Int8Array): number {
  const isLarge = scalar[31]! > HALF_TOP;
  const bytes = isLarge ? negate(scalar) : scalar;
  const sign = isLarge ? -1 : 1;
  digits.fill(0);
  let carry = 0;
  let highest = -1;
  for (let i = 0; i < DIGITS;) {
    if ((((bytes[i >> 3] ?? 0) >> (i & 7)) & 1) === carry) {
      i++;
      continue;
    }
    const word = (bytes[i >> 3] ?? 0) | ((bytes[(i >> 3) + 1] ?? 0) << 8);
    const window = ((word >> (i & 7)) & (2 ** WIDTH - 1)) + carry;
    carry = window >= 2 ** (WIDTH - 1) ? 1 : 0;
    digits[i] = sign * (window - carry * 2 ** WIDTH);
    highest = i;
    i += WIDTH;
  }
  return highest;
}
