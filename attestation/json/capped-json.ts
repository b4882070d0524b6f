/**
 * A JSON parser with caps: size, depth, number of values; repeated keys and `__proto__` are refused.
 *
 * `JSON.parse` keeps the last of two equal keys where other verifiers keep the first, and has no depth limit; both matter for
 * texts that a stranger sends. Numbers must be integers within 2^53: no document read here has others.
 * Spec: RFC 8259.
 */
import { StunError } from '#protocol/errors/stun-error.ts';

/** A parsed JSON value; objects have no prototype. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Whether a JSON value is a list. */
export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Limits of {@link parseCappedJson}. */
export interface JsonLimits {
  readonly maxChars: number;
  readonly maxDepth: number;
  readonly maxValues: number;
}

/** Wide enough for every collateral document and evidence document, with a factor of ten to spare. */
export const defaultJsonLimits: JsonLimits = Object.freeze({ maxChars: 1_000_000, maxDepth: 16, maxValues: 50_000 });

const plainString = /"[^"\\\u0000-\u001f]*"/y;
const escapedString = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const integer = /-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
const word = /true|false|null/y;

class Parser {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #values = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  document(): JsonValue {
    const value = this.#value(1);
    this.#space();
    if (this.#at !== this.#text.length) this.#refuse('expected the end');
    return value;
  }

  #refuse(expected: string): never {
    throw new StunError('STUN_JSON_FORMAT', `${expected} at character ${this.#at}`);
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  /** Moves over spaces, tabs and line ends. */
  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
      this.#at++;
    }
  }

  #symbol(char: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #value(depth: number): JsonValue {
    if (depth > this.#limits.maxDepth) this.#refuse(`expected at most ${this.#limits.maxDepth} levels`);
    if (++this.#values > this.#limits.maxValues) this.#refuse(`expected at most ${this.#limits.maxValues} values`);
    if (this.#symbol('{')) return this.#object(depth);
    if (this.#symbol('[')) return this.#array(depth);
    if (this.#text[this.#at] === '"') return this.#string();
    const digits = this.#take(integer);
    if (digits !== null) {
      const number = Number(digits);
      if (!Number.isSafeInteger(number) || Object.is(number, -0)) this.#refuse('expected an integer within 2^53');
      return number;
    }
    const name = this.#take(word);
    if (name === null) this.#refuse('expected a JSON value with integer numbers');
    return name === 'null' ? null : name === 'true';
  }

  #string(): string {
    const plain = this.#take(plainString);
    if (plain !== null) return plain.slice(1, -1);
    const escaped = this.#take(escapedString);
    if (escaped === null) this.#refuse('expected a string');
    const text: unknown = JSON.parse(escaped);
    if (typeof text !== 'string' || !text.isWellFormed()) this.#refuse('expected well-formed Unicode before');
    return text;
  }

  #object(depth: number): JsonObject {
    const out: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
    if (this.#symbol('}')) return out;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#refuse('expected a key');
      const key = this.#string();
      if (Object.hasOwn(out, key) || key === '__proto__') this.#refuse('expected each key once');
      if (!this.#symbol(':')) this.#refuse('expected a colon');
      out[key] = this.#value(depth + 1);
    } while (this.#symbol(','));
    if (!this.#symbol('}')) this.#refuse('expected a comma or the end of the object');
    return out;
  }

  #array(depth: number): readonly JsonValue[] {
    const out: JsonValue[] = [];
    if (this.#symbol(']')) return out;
    do out.push(this.#value(depth + 1));
    while (this.#symbol(','));
    if (!this.#symbol(']')) this.#refuse('expected a comma or the end of the array');
    return out;
  }
}

/**
 * Parses one JSON document.
 * @throws `STUN_JSON_FORMAT` on anything that is not JSON within the limits
 */
export function parseCappedJson(text: string, limits: JsonLimits = defaultJsonLimits): JsonValue {
  if (text.length > limits.maxChars)
    throw new StunError('STUN_JSON_FORMAT', `expected at most ${limits.maxChars} characters, got ${text.length}`);
  return new Parser(text, limits).document();
}

/**
 * Decodes UTF-8 and parses one JSON document.
 * @throws `STUN_JSON_FORMAT` also when the bytes are not UTF-8, or begin with a byte order mark
 */
export function parseCappedJsonBytes(bytes: Uint8Array, limits: JsonLimits = defaultJsonLimits): JsonValue {
  if (bytes.length > 4 * limits.maxChars)
    throw new StunError('STUN_JSON_FORMAT', `expected at most ${4 * limits.maxChars} bytes, got ${bytes.length}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new StunError('STUN_JSON_FORMAT', 'expected UTF-8 text');
  }
  return parseCappedJson(text, limits);
}
