/** Values inside DER elements: integers, OIDs, bit strings, times, ECDSA signatures. Spec: ITU-T X.690 (02/2021), sections 8 and 11. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { DerReader, derTag } from './der.ts';

function refuse(reason: string): never {
  throw new StunError('STUN_DER_FORMAT', reason);
}

/** The content octets of a minimal two's complement INTEGER, as lower-case hex without `0x`. */
export function readIntegerHex(reader: DerReader, tag: number = derTag.integer): string {
  const content = reader.read(tag).content;
  const first = content[0];
  if (first === undefined) refuse('expected an integer of at least one byte');
  const second = content[1];
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
    refuse('expected a minimal integer');
  return toHex(content).slice(2);
}

/**
 * A non-negative INTEGER (or ENUMERATED) that fits 31 bits.
 * @throws `STUN_DER_FORMAT` when it is negative or larger
 */
export function readSmallInteger(reader: DerReader, tag: number = derTag.integer): number {
  const hex = readIntegerHex(reader, tag);
  if (hex.length > 8 || Number.parseInt(hex.slice(0, 2), 16) >= 0x80) refuse('expected an integer in 0..2^31-1');
  return Number.parseInt(hex, 16);
}

/** A BOOLEAN: 0x00 or 0xff. */
export function readBoolean(reader: DerReader): boolean {
  const content = reader.read(derTag.boolean).content;
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) refuse('expected a boolean of 0x00 or 0xff');
  return content[0] === 0xff;
}

/** A BOOLEAN DEFAULT FALSE: absent when it is false, as DER demands. Spec: ITU-T X.690 (02/2021), section 11.5. */
export function readFlag(reader: DerReader): boolean {
  if (reader.peek() !== derTag.boolean) return false;
  if (!readBoolean(reader)) refuse('expected a default value to be left out');
  return true;
}

/** An OBJECT IDENTIFIER as dotted text. */
export function readOid(reader: DerReader): string {
  const content = reader.read(derTag.oid).content;
  if (content.length === 0 || content.length > 32) refuse('expected an object identifier of 1 to 32 bytes');
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const byte of content) {
    if (fresh && byte === 0x80) refuse('expected minimal arcs in an object identifier');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 0xffffffff) refuse('expected arcs below 2^32 in an object identifier');
    fresh = byte < 0x80;
    if (fresh) {
      arcs.push(arc);
      arc = 0;
    }
  }
  if (!fresh) refuse('object identifier cut short');
  const head = arcs[0] ?? 0;
  const first = head < 40 ? 0 : head < 80 ? 1 : 2;
  return [first, head - 40 * first, ...arcs.slice(1)].join('.');
}

/** A BIT STRING of whole bytes. */
export function readBitString(reader: DerReader): Uint8Array {
  const content = reader.read(derTag.bitString).content;
  if (content[0] !== 0) refuse('expected a bit string of whole bytes');
  return content.subarray(1);
}

/** A named-bit list (KeyUsage) as a set of bit numbers; trailing zero bits must be absent. */
export function readNamedBits(reader: DerReader): ReadonlySet<number> {
  const content = reader.read(derTag.bitString).content;
  const unused = content[0] ?? refuse('expected a bit string');
  const bytes = content.subarray(1);
  const last = bytes.at(-1);
  if (unused > 7 || (last === undefined && unused !== 0)) refuse('expected 0 to 7 unused bits');
  if (last !== undefined && ((last & ((1 << unused) - 1)) !== 0 || (last & (1 << unused)) === 0))
    refuse('expected a minimal named-bit list');
  return bitNumbers(bytes);
}

/** The numbers of the bits that are one; the highest bit of the first byte is number 0. */
export function bitNumbers(bytes: Uint8Array): ReadonlySet<number> {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return new Set(Array.from(bits, (bit, number) => (bit === '1' ? [number] : [])).flat());
}

const timeForm = /^(\d{2,4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

/**
 * A UTCTime (years 1950 to 2049) or GeneralizedTime (2050 on) as unix seconds.
 * Spec: RFC 5280, section 4.1.2.5 "Validity".
 */
export function readTime(reader: DerReader): number {
  return readTimeOf(reader, 2050);
}

/** As {@link readTime}, but with GeneralizedTime for any year, as some authorities write it and OCSP demands it. */
export function readAnyTime(reader: DerReader): number {
  return readTimeOf(reader, 0);
}

function readTimeOf(reader: DerReader, generalizedFrom: number): number {
  const tag = reader.peek() === derTag.generalizedTime ? derTag.generalizedTime : derTag.utcTime;
  const text = String.fromCharCode(...reader.read(tag).content.subarray(0, 20));
  const parts = timeForm.exec(text);
  if (parts === null || text.length !== (tag === derTag.utcTime ? 13 : 15)) refuse('expected a time as [YY]YYMMDDHHMMSSZ');
  const [yearText = '', month = '', day = '', hour = '', minute = '', second = ''] = parts.slice(1);
  const shortYear = Number(yearText);
  const year = tag === derTag.generalizedTime ? shortYear : shortYear < 50 ? 2000 + shortYear : 1900 + shortYear;
  if (tag === derTag.generalizedTime && year < generalizedFrom) refuse('expected UTCTime for years before 2050');
  return (
    calendarToUnix(year, Number(month), Number(day), Number(hour), Number(minute), Number(second)) ??
    refuse('expected a time of the calendar')
  );
}

/** Unix seconds of a UTC calendar time, or null when there is no such time. Leap seconds do not exist here. */
export function calendarToUnix(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | null {
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const same =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  return same ? date.getTime() / 1000 : null;
}

/**
 * An ECDSA-Sig-Value as raw r||s, big-endian.
 * Spec: RFC 5480, appendix A; the range 1..n-1 is checked by the signature verification.
 * @param size - of r and of s in bytes: 32 for P-256, 48 for P-384
 */
export function parseEcdsaSignature(bytes: Uint8Array, size = 32): Uint8Array {
  const outer = new DerReader(bytes);
  const pair = outer.enter(derTag.sequence);
  outer.end();
  const out = new Uint8Array(2 * size);
  for (const offset of [0, size]) {
    const hex = readIntegerHex(pair);
    if (Number.parseInt(hex.slice(0, 2), 16) >= 0x80) refuse('expected positive integers in a signature');
    const digits = hex.startsWith('00') ? hex.slice(2) : hex;
    if (digits.length > 2 * size) refuse(`expected integers of at most ${size} bytes in a signature`);
    out.set(fromHex(`0x${digits.padStart(2 * size, '0')}`), offset);
  }
  pair.end();
  return out;
}
