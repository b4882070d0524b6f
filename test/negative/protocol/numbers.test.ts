/** Hex and numbers that are refused, one step outside of what is taken. */
import {
  addressToField,
  assertField,
  assertUint,
  bigIntToBytes,
  FIELD_ORDER,
  fieldFromHex,
  fieldToAddress,
  fieldToHex,
  fromHex,
  halves,
  uintBytes,
} from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { throwsCode } from '#test/unit/assert-code.ts';

const cases: readonly [what: string, ErrorCode, () => unknown][] = [
  ['hex of an odd number of digits', 'STUN_INPUT', () => fromHex('0xabc')],
  ['hex with another character', 'STUN_INPUT', () => fromHex('0xag')],
  ['hex with a blank behind it', 'STUN_INPUT', () => fromHex('0xab \n')],
  ['hex without 0x', 'STUN_INPUT', () => fromHex('abcd')],
  ['one byte too few', 'STUN_INPUT', () => fromHex('0xabcd', 3)],
  ['one byte too many', 'STUN_INPUT', () => fromHex('0xabcd', 1)],
  ['256 in one byte', 'STUN_RANGE', () => bigIntToBytes(256n, 1)],
  ['a negative integer', 'STUN_RANGE', () => bigIntToBytes(-1n, 1)],
  ['2^16 in two bytes', 'STUN_RANGE', () => uintBytes(2 ** 16, 2)],
  ['half a byte', 'STUN_RANGE', () => uintBytes(0.5, 1)],
  ['a negative number of four bytes', 'STUN_RANGE', () => uintBytes(-1, 4)],
  ['r as a field element', 'STUN_RANGE', () => assertField(FIELD_ORDER, 'it')],
  ['a negative field element', 'STUN_RANGE', () => assertField(-1n, 'it')],
  ['r in hex', 'STUN_RANGE', () => fieldFromHex(`0x${FIELD_ORDER.toString(16)}`)],
  ['a field element of 62 digits', 'STUN_INPUT', () => fieldFromHex(`0x${'0'.repeat(62)}`)],
  ['hex of r', 'STUN_RANGE', () => fieldToHex(FIELD_ORDER)],
  ['2^5 in five bits', 'STUN_RANGE', () => assertUint(32n, 5, 'it')],
  ['a negative integer of five bits', 'STUN_RANGE', () => assertUint(-1n, 5, 'it')],
  ['a digest of 31 bytes', 'STUN_INPUT', () => halves(new Uint8Array(31))],
  ['a digest of 33 bytes', 'STUN_INPUT', () => halves(new Uint8Array(33))],
  ['an address of 19 bytes', 'STUN_INPUT', () => addressToField(`0x${'0'.repeat(38)}`)],
  ['an address of 2^160', 'STUN_RANGE', () => fieldToAddress(2n ** 160n)],
];

describe('numbers and hex', () => {
  for (const [what, code, call] of cases) it(`refuse ${what} with ${code}`, () => throwsCode(call, code));
});
