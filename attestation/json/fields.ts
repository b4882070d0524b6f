/** Typed access to the fields of a parsed JSON object; each failure names the path and carries the code of the document. */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex } from '#protocol/bytes.ts';
import { calendarToUnix } from '../asn1/der-values.ts';
import type { JsonObject, JsonValue } from './capped-json.ts';

const isoForm = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/;

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads fields of one object. Unknown fields are ignored unless {@link FieldReader.only} is called. */
export class FieldReader {
  readonly #object: JsonObject;
  readonly #path: string;
  readonly #code: ErrorCode;

  constructor(value: JsonValue, path: string, code: ErrorCode) {
    this.#path = path;
    this.#code = code;
    if (!isObject(value)) this.#refuse('', 'an object');
    this.#object = value;
  }

  #refuse(key: string, expected: string): never {
    throw new StunError(this.#code, `${this.#path}${key === '' ? '' : `.${key}`} must be ${expected}`);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#object, key);
  }

  value(key: string): JsonValue {
    return this.has(key) ? (this.#object[key] ?? null) : this.#refuse(key, 'present');
  }

  /** @throws the document's code when the object has any other key */
  only(...keys: readonly string[]): void {
    for (const key of Object.keys(this.#object))
      if (!keys.includes(key)) this.#refuse(key.slice(0, 32), 'absent: it is not a known field');
  }

  string(key: string): string {
    const value = this.value(key);
    return typeof value === 'string' ? value : this.#refuse(key, 'a string');
  }

  /** A string, or null when the field is null, absent or empty. */
  stringOrNull(key: string): string | null {
    if (!this.has(key)) return null;
    const value = this.value(key);
    if (value === null || value === '') return null;
    return typeof value === 'string' ? value : this.#refuse(key, 'a string or null');
  }

  boolean(key: string): boolean {
    const value = this.value(key);
    return typeof value === 'boolean' ? value : this.#refuse(key, 'true or false');
  }

  integer(key: string, min: number, max: number): number {
    const value = this.value(key);
    return typeof value === 'number' && value >= min && value <= max ? value : this.#refuse(key, `an integer in ${min}..${max}`);
  }

  /** Hex digits of either case, without `0x`, of an exact number of bytes. */
  hex(key: string, length: number): Uint8Array {
    const text = this.string(key);
    if (text.length !== 2 * length || !/^[0-9a-fA-F]*$/.test(text)) this.#refuse(key, `${2 * length} hex digits`);
    return fromHex(`0x${text}`);
  }

  /** A time `YYYY-MM-DDTHH:MM:SSZ` as unix seconds. */
  time(key: string): number {
    const parts = isoForm.exec(this.string(key))?.slice(1).map(Number);
    if (parts === undefined) this.#refuse(key, 'a time YYYY-MM-DDTHH:MM:SSZ');
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
    return calendarToUnix(year, month, day, hour, minute, second) ?? this.#refuse(key, 'a time of the calendar');
  }

  list(key: string, maxLength: number): readonly JsonValue[] {
    const value = this.value(key);
    if (!Array.isArray(value) || value.length > maxLength) this.#refuse(key, `a list of at most ${maxLength}`);
    return value as readonly JsonValue[];
  }

  strings(key: string, maxLength: number): readonly string[] {
    return this.list(key, maxLength).map((entry) => (typeof entry === 'string' ? entry : this.#refuse(key, 'a list of strings')));
  }

  /** A list whose entries are strings or objects. */
  stringsOrObjects(key: string, maxLength: number): readonly (string | FieldReader)[] {
    return this.list(key, maxLength).map((entry, i) =>
      typeof entry === 'string' ? entry : new FieldReader(entry, `${this.#path}.${key}[${i}]`, this.#code),
    );
  }

  object(key: string): FieldReader {
    return new FieldReader(this.value(key), `${this.#path}.${key}`, this.#code);
  }

  objects(key: string, maxLength: number): readonly FieldReader[] {
    return this.list(key, maxLength).map((entry, i) => new FieldReader(entry, `${this.#path}.${key}[${i}]`, this.#code));
  }
}
