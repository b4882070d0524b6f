/**
 * Many scalars times one generator of BN254: tables of windows in WebAssembly memory, mixed additions, one inversion per batch.
 * It is for key generation from a public trapdoor: time and memory access depend on the scalars.
 */
import type { Bn128, WasmGroup } from 'ffjavascript';

const SCALAR_BITS = 254;
const SCALAR_BYTES = 32;
/** Points brought to affine form together. */
export const BATCH = 1024;
const PAGE_BYTES = 65536;
/** Room that is kept free behind every reservation: batch functions put their products there without growing the memory. */
const SCRATCH_BYTES = BATCH * 64 * 4;

/** Wider windows would take more memory than they save time. */
const MOST_WINDOW_BITS = 16;

/** The window width that takes the fewest additions: each window costs one for a scalar and one for an entry of its table. */
function windowBitsFor(scalars: number): number {
  const additions = (bits: number): number => Math.ceil(SCALAR_BITS / bits) * (scalars + 2 ** bits);
  let best = 1;
  for (let bits = 2; bits <= MOST_WINDOW_BITS; bits++) if (additions(bits) < additions(best)) best = bits;
  return best;
}

/**
 * Reserves WebAssembly memory behind the library's own allocation pointer, growing it as needed.
 * @returns where it starts
 */
export function reserve(curve: Bn128, bytes: number): number {
  const { memory } = curve.tm;
  const free = new Uint32Array(memory.buffer, 0, 1);
  const start = Math.ceil(free[0]! / 8) * 8;
  const missing = start + bytes + SCRATCH_BYTES - memory.buffer.byteLength;
  if (missing > 0) {
    memory.grow(Math.ceil(missing / PAGE_BYTES));
    // The library keeps views of its own, which growing makes stale.
    Object.assign(curve.tm, { u8: new Uint8Array(memory.buffer), u32: new Uint32Array(memory.buffer) });
  }
  new Uint32Array(memory.buffer, 0, 1)[0] = start + bytes;
  return start;
}

/** Multiplies scalars by the generator of one group. */
export class FixedBase {
  readonly #curve: Bn128;
  readonly #prefix: 'g1m' | 'g2m';
  readonly #affineBytes: number;
  readonly #jacobianBytes: number;
  readonly #windowBits: number;
  readonly #windows: number;
  readonly #table: number;
  readonly #batch: number;
  readonly #affineBatch: number;

  /** @param scalars - how many will be multiplied, roughly: it decides how much goes into tables */
  constructor(curve: Bn128, group: 'g1' | 'g2', scalars: number) {
    const points: WasmGroup = group === 'g1' ? curve.G1 : curve.G2;
    this.#curve = curve;
    this.#prefix = group === 'g1' ? 'g1m' : 'g2m';
    this.#affineBytes = points.F.n8 * 2;
    this.#jacobianBytes = points.F.n8 * 3;
    this.#windowBits = windowBitsFor(scalars);
    this.#windows = Math.ceil(SCALAR_BITS / this.#windowBits);
    this.#batch = reserve(curve, this.#jacobianBytes * BATCH);
    this.#affineBatch = reserve(curve, this.#affineBytes * BATCH);
    this.#table = reserve(curve, this.#windows * this.#entries * this.#affineBytes);
    this.#fill(points.g);
  }

  /** Non-zero digits of a window. */
  get #entries(): number {
    return 2 ** this.#windowBits - 1;
  }

  #call(name: string, ...args: number[]): void {
    this.#curve.tm.instance.exports[`${this.#prefix}_${name}`]!(...args);
  }

  /** Entry d-1 of window w is d·2^(w·windowBits)·g, affine. */
  #fill(generator: Uint8Array): void {
    const base = reserve(this.#curve, this.#affineBytes + this.#jacobianBytes * 2);
    const running = base + this.#affineBytes;
    const next = running + this.#jacobianBytes;
    new Uint8Array(this.#curve.tm.memory.buffer).set(generator, next);
    for (let w = 0; w < this.#windows; w++) {
      this.#call('toAffine', next, base);
      this.#call('zero', running);
      for (let done = 0; done < this.#entries;) {
        const count = Math.min(BATCH, this.#entries - done);
        for (let i = 0; i < count; i++) {
          this.#call('addMixed', running, base, running);
          this.#call('copy', running, this.#batch + i * this.#jacobianBytes);
        }
        this.#call('batchToAffine', this.#batch, count, this.#table + (w * this.#entries + done) * this.#affineBytes);
        done += count;
      }
      this.#call('addMixed', running, base, next);
    }
  }

  /**
   * scalar·g for every scalar.
   * @param scalars - canonical, 0..r-1
   * @returns affine points in Montgomery form, little-endian, infinity all zeros
   */
  multiply(scalars: readonly bigint[]): Uint8Array {
    const result = new Uint8Array(scalars.length * this.#affineBytes);
    const digits = new Uint8Array(SCALAR_BYTES + 4);
    const view = new DataView(digits.buffer);
    const mask = this.#entries;
    const addMixed = this.#curve.tm.instance.exports[`${this.#prefix}_addMixed`]!;
    for (let done = 0; done < scalars.length; done += BATCH) {
      const count = Math.min(BATCH, scalars.length - done);
      for (let i = 0; i < count; i++) {
        const scalar = scalars[done + i]!;
        const point = this.#batch + i * this.#jacobianBytes;
        this.#call('zero', point);
        if (scalar === 0n) continue;
        for (let limb = 0; limb < 4; limb++) view.setBigUint64(limb * 8, BigInt.asUintN(64, scalar >> BigInt(limb * 64)), true);
        for (let w = 0; w < this.#windows; w++) {
          const bit = w * this.#windowBits;
          const digit = (view.getUint32(bit >> 3, true) >>> (bit & 7)) & mask;
          if (digit !== 0) addMixed(point, this.#table + (w * mask + digit - 1) * this.#affineBytes, point);
        }
      }
      this.#call('batchToAffine', this.#batch, count, this.#affineBatch);
      const memory = new Uint8Array(this.#curve.tm.memory.buffer, this.#affineBatch, count * this.#affineBytes);
      result.set(memory, done * this.#affineBytes);
    }
    return result;
  }
}

/** Brings field elements (32 bytes each, little-endian) into Montgomery form `times` times, in place of a copy. */
export function toMontgomery(curve: Bn128, elements: Uint8Array, times: number): Uint8Array {
  const chunk = BATCH * 64;
  const place = reserve(curve, chunk * SCALAR_BYTES);
  const result = new Uint8Array(elements.length);
  for (let offset = 0; offset < elements.length; offset += chunk * SCALAR_BYTES) {
    const part = elements.subarray(offset, offset + chunk * SCALAR_BYTES);
    const memory = new Uint8Array(curve.tm.memory.buffer);
    memory.set(part, place);
    for (let t = 0; t < times; t++) curve.tm.instance.exports['frm_batchToMontgomery']!(place, part.length / SCALAR_BYTES, place);
    result.set(memory.subarray(place, place + part.length), offset);
  }
  return result;
}
