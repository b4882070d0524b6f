/**
 * Reader of protobuf's wire format: varints, 32- and 64-bit numbers, lengths. Total: a value or a coded error for every input, no
 * recursion, nothing allocated beyond the bytes given.
 *
 * Source: Protocol Buffers, "Encoding" (wire types 0, 1, 2 and 5; groups are refused).
 */
import { StunError } from '#protocol/errors/stun-error.ts';

/** One field of a message: a number, or bytes that are a text, a message or packed numbers. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
  /** 0 varint, 1 64-bit, 2 bytes, 5 32-bit. */
  readonly wireType: 0 | 1 | 2 | 5;
}

/** Fields in one message: more means a hostile file. */
const MAX_FIELDS = 2_000_000;

/** @throws `STUN_MODEL_FORMAT` always */
export function refuseModel(reason: string): never {
  throw new StunError('STUN_MODEL_FORMAT', reason);
}

/** A cursor over the bytes of one message. */
class Cursor {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#offset++];
      if (byte === undefined) refuseModel('a message ends inside a number');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    return refuseModel('a number has more than ten bytes');
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#offset) refuseModel(`a field of ${length} bytes is longer than its message`);
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }
}

function little(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return value;
}

/** The fields of a message, in order. @throws `STUN_MODEL_FORMAT` */
export function readFields(message: Uint8Array): Field[] {
  const cursor = new Cursor(message);
  const fields: Field[] = [];
  while (!cursor.done) {
    if (fields.length === MAX_FIELDS) refuseModel(`a message has more than ${MAX_FIELDS} fields`);
    const key = cursor.varint();
    const number = Number(key >> 3n);
    if (number === 0 || key > 0xffff_ffffn) refuseModel(`a field is numbered ${number}`);
    const wireType = Number(key & 7n);
    switch (wireType) {
      case 0:
        fields.push({ number, wireType, value: cursor.varint() });
        break;
      case 1:
        fields.push({ number, wireType, value: little(cursor.take(8)) });
        break;
      case 5:
        fields.push({ number, wireType, value: little(cursor.take(4)) });
        break;
      case 2: {
        const length = cursor.varint();
        if (length > 0x7fff_ffffn) refuseModel('a field is longer than 2 GiB');
        fields.push({ number, wireType, value: cursor.take(Number(length)) });
        break;
      }
      default:
        refuseModel(`field ${number} has wire type ${wireType}`);
    }
  }
  return fields;
}

/** All values of a field that must be bytes. */
export function bytesOf(fields: readonly Field[], number: number): Uint8Array[] {
  return fields
    .filter((field) => field.number === number)
    .map(({ value }) => (typeof value === 'bigint' ? refuseModel(`field ${number} must be bytes`) : value));
}

/** A text, or the fallback when it is absent; the last one counts. */
export function textOf(fields: readonly Field[], number: number, fallback = ''): string {
  const last = bytesOf(fields, number).at(-1);
  if (last === undefined) return fallback;
  if (last.length > 4096) refuseModel(`a name has ${last.length} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(last);
  } catch (cause) {
    throw new StunError('STUN_MODEL_FORMAT', 'a name is not UTF-8', { cause });
  }
}

/** Signed 64-bit numbers of a field, packed or not. */
export function integersOf(fields: readonly Field[], number: number): bigint[] {
  const values: bigint[] = [];
  for (const field of fields) {
    if (field.number !== number) continue;
    if (typeof field.value === 'bigint') {
      values.push(BigInt.asIntN(64, field.value));
      continue;
    }
    const cursor = new Cursor(field.value);
    while (!cursor.done) values.push(BigInt.asIntN(64, cursor.varint()));
  }
  return values;
}

/** 32-bit floats of a field, packed or not. */
export function floatsOf(fields: readonly Field[], number: number): number[] {
  const values: number[] = [];
  const view = new DataView(new ArrayBuffer(4));
  for (const field of fields) {
    if (field.number !== number) continue;
    if (typeof field.value === 'bigint') {
      view.setUint32(0, Number(BigInt.asUintN(32, field.value)), true);
      values.push(view.getFloat32(0, true));
      continue;
    }
    const { buffer, byteOffset, length } = field.value;
    if (length % 4 !== 0) refuseModel(`packed floats have ${length} bytes`);
    const packed = new DataView(buffer, byteOffset, length);
    for (let offset = 0; offset < length; offset += 4) values.push(packed.getFloat32(offset, true));
  }
  return values;
}
