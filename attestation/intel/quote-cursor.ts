/** A cursor over the bytes of a quote that never reads past the end. Integers are little-endian. */
import { StunError } from '#protocol/errors/stun-error.ts';

export class QuoteCursor {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The next bytes, not copied. @throws `STUN_QUOTE_FORMAT` when fewer are left */
  take(length: number, what: string): Uint8Array {
    if (length > this.remaining) {
      throw new StunError(
        'STUN_QUOTE_FORMAT',
        `${what}: expected ${length} bytes at offset ${this.#offset}, ${this.remaining} are left`,
      );
    }
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  uint(length: 2 | 4, what: string): number {
    return this.take(length, what).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  /** @throws `STUN_QUOTE_FORMAT` when bytes are left */
  end(what: string): void {
    if (this.remaining !== 0) throw new StunError('STUN_QUOTE_FORMAT', `${what}: ${this.remaining} bytes are left over`);
  }
}

/** An unsigned integer in little-endian bytes. */
export function littleEndian(value: number, length: 2 | 4): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (value >>> (8 * i)) & 0xff);
}
