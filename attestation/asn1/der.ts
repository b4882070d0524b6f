/**
 * A strict DER reader: definite minimal lengths, one-byte tags, a cap on size and on depth, exact consumption.
 *
 * Trusted for: never reading outside its window, never recursing deeper than {@link maxDerDepth}, accepting exactly one
 * encoding of a structure. It does not know what the values mean: see `der-values.ts`.
 * Spec: ITU-T X.690 (02/2021), section 10 "Distinguished encoding rules".
 */
import { StunError } from '#protocol/errors/stun-error.ts';

/** Universal tags that are read here, as identifier octets. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Largest structure in bytes: a PCK CRL is under 10 KB, the cap leaves room for two thousand entries. */
export const maxDerBytes = 131_072;
/** Deepest nesting: a PCK certificate needs 6 levels. */
export const maxDerDepth = 12;

/** One element: identifier octet, the whole encoding, and its content. */
export interface DerElement {
  readonly tag: number;
  readonly raw: Uint8Array;
  readonly content: Uint8Array;
}

function refuse(reason: string): never {
  throw new StunError('STUN_DER_FORMAT', reason);
}

/** A cursor over the elements of one constructed value. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  readonly #end: number;
  #offset: number;

  /**
   * @param depth - how many levels lie above
   * @param start - where the value begins in `bytes`, and `end` where it ends: all of them when not given
   */
  constructor(bytes: Uint8Array, depth = 0, start = 0, end = bytes.length) {
    if (end - start > maxDerBytes) refuse(`expected at most ${maxDerBytes} bytes, got ${end - start}`);
    if (depth > maxDerDepth) refuse(`expected at most ${maxDerDepth} levels`);
    this.#bytes = bytes;
    this.#depth = depth;
    this.#offset = start;
    this.#end = end;
  }

  /** The identifier octet of the next element, or null at the end. */
  peek(): number | null {
    return this.#offset < this.#end ? (this.#bytes[this.#offset] ?? null) : null;
  }

  /**
   * Reads identifier and length of the next element and moves behind it.
   * @returns where its content begins; it ends at the new offset
   */
  #header(tag: number): number {
    const start = this.#offset;
    const found = this.peek();
    if (found !== tag)
      refuse(
        `expected tag 0x${tag.toString(16)} at byte ${start}, got ${found === null ? 'the end' : `0x${found.toString(16)}`}`,
      );
    let cursor = start + 1;
    const next = (): number =>
      cursor < this.#end ? (this.#bytes[cursor++] ?? 0) : refuse(`length of the element at byte ${start} cut short`);
    let length = next();
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 3) refuse(`expected a definite length of at most 3 bytes at byte ${start + 1}`);
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + next();
      if (length < 0x80 || length < 256 ** (count - 1)) refuse(`expected the shortest length encoding at byte ${start + 1}`);
    }
    const end = cursor + length;
    if (end > this.#end) refuse(`element at byte ${start} runs ${end - this.#end} bytes past its container`);
    this.#offset = end;
    return cursor;
  }

  /**
   * Reads the next element.
   * @param tag - the identifier octet it must have
   * @throws `STUN_DER_FORMAT` on another tag, a non-minimal or indefinite length, or a length that runs past the end
   */
  read(tag: number): DerElement {
    const start = this.#offset;
    const content = this.#header(tag);
    return { tag, raw: this.#bytes.subarray(start, this.#offset), content: this.#bytes.subarray(content, this.#offset) };
  }

  /** Enters the next element, which must be constructed and have this tag. */
  enter(tag: number): DerReader {
    const content = this.#header(tag);
    return new DerReader(this.#bytes, this.#depth + 1, content, this.#offset);
  }

  /** Reads everything to the end with `each`, called once per element. */
  *rest(tag: number): Generator<DerReader> {
    while (this.peek() !== null) yield this.enter(tag);
  }

  /** A reader over DER held inside a value (an OCTET STRING, say), counted as one level deeper. */
  inside(bytes: Uint8Array): DerReader {
    return new DerReader(bytes, this.#depth + 1);
  }

  /** @throws `STUN_DER_FORMAT` unless everything was consumed */
  end(): void {
    if (this.#offset !== this.#end)
      refuse(`expected the end at byte ${this.#offset}, got ${this.#end - this.#offset} more bytes`);
  }
}
