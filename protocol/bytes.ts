/** Byte strings: concatenation, hex and big-endian integers. Pure; every length is checked. */
import { StunError } from './errors/stun-error.ts';

/** `0x` and an even number of lower-case hex digits. */
export type Hex = `0x${string}`;

/** Joins byte strings. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The two lower-case digits of each byte. */
const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** The value of each hex digit by its character code. */
const digitOfCode = new Uint8Array(103);
for (let digit = 0; digit < 16; digit++) {
  const character = digit.toString(16);
  digitOfCode[character.charCodeAt(0)] = digit;
  digitOfCode[character.toUpperCase().charCodeAt(0)] = digit;
}

/** `0x` + lower-case hex of bytes. */
export function toHex(bytes: Uint8Array): Hex {
  let hex = '';
  for (const byte of bytes) hex += hexOfByte[byte];
  return `0x${hex}`;
}

/**
 * Bytes of a `0x` hex string, either case.
 * @param hex - the text
 * @param length - the exact length in bytes, when it is fixed
 * @param what - name of the value for the error
 * @throws `STUN_INPUT` when it is not hex or has another length
 */
export function fromHex(hex: string, length?: number, what = 'value'): Uint8Array<ArrayBuffer> {
  if (hex.length % 2 !== 0 || !/^0x[0-9a-fA-F]*$/.test(hex))
    throw new StunError('STUN_INPUT', `${what} must be 0x and pairs of hex digits`);
  const size = (hex.length - 2) / 2;
  if (length !== undefined && size !== length) {
    throw new StunError('STUN_INPUT', `${what} must have ${length} bytes, got ${size}`);
  }
  const out = new Uint8Array(size);
  const digit = (at: number): number => digitOfCode[hex.charCodeAt(at)] ?? 0;
  for (const i of out.keys()) out[i] = (digit(2 + 2 * i) << 4) | digit(3 + 2 * i);
  return out;
}

/** The unsigned big-endian integer of bytes. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(toHex(bytes));
}

/**
 * An unsigned integer as big-endian bytes.
 * @throws `STUN_RANGE` when it does not fit `length` bytes or is negative
 */
export function bigIntToBytes(value: bigint, length: number, what = 'value'): Uint8Array<ArrayBuffer> {
  if (value < 0n || value >> BigInt(8 * length) !== 0n) {
    throw new StunError('STUN_RANGE', `${what} must be in 0..2^${8 * length}-1`);
  }
  return fromHex(`0x${value.toString(16).padStart(2 * length, '0')}`);
}

/** An unsigned integer of at most 4 bytes as big-endian bytes. */
export function uintBytes(value: number, length: 1 | 2 | 4, what = 'value'): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(value)) throw new StunError('STUN_RANGE', `${what} must be an integer`);
  return bigIntToBytes(BigInt(value), length, what);
}

/** Whether two byte strings are equal; not constant-time, for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Joins the parts of a stream of unknown length.
 * @returns undefined when there are more than `maxBytes`; the rest is not read then
 */
export async function joinParts(
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const read: Uint8Array[] = [];
  let size = 0;
  for await (const part of parts) {
    size += part.length;
    if (size > maxBytes) return undefined;
    read.push(part);
  }
  return concatBytes(...read);
}
