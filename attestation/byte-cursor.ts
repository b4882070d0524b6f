/** A cursor over bytes of a binary format that never reads past the end. Integers are little-endian. */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #code: ErrorCode;
  #offset = 0;

  /** @param code - thrown when the bytes do not have the form that is read */
  constructor(bytes: Uint8Array, code: ErrorCode) {
    this.#bytes = bytes;
    this.#code = code;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The next bytes, not copied. @throws the format's code when fewer are left */
  take(length: number, what: string): Uint8Array {
    if (length > this.remaining) {
      throw new StunError(this.#code, `${what}: expected ${length} bytes at offset ${this.#offset}, ${this.remaining} are left`);
    }
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  uint(length: 1 | 2 | 3 | 4, what: string): number {
    return this.take(length, what).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  /** @throws the format's code when bytes are left */
  end(what: string): void {
    if (this.remaining !== 0) throw new StunError(this.#code, `${what}: ${this.remaining} bytes are left over`);
  }
}

/** An unsigned integer in little-endian bytes. */
export function littleEndian(value: number, length: 1 | 2 | 3 | 4): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (value >>> (8 * i)) & 0xff);
}
