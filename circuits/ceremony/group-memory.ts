/** One group of BN254 in WebAssembly memory: calls by name, vectors of points, memory that is given back. */
import type { Bn128 } from 'ffjavascript';
import { BATCH, reserve } from '../build/fixed-base.ts';
import { G1_BYTES, G2_BYTES } from '../build/zkey-format.ts';

/** A group of points. */
export type Group = 'g1' | 'g2';

/** Runs a task that reserves memory and gives all of it back afterwards. */
export async function withMemory<T>(curve: Bn128, task: () => Promise<T>): Promise<T> {
  const mark = new Uint32Array(curve.tm.memory.buffer, 0, 1)[0]!;
  try {
    return await task();
  } finally {
    new Uint32Array(curve.tm.memory.buffer, 0, 1)[0] = mark;
  }
}

/**
 * Calls into the curve's WebAssembly. Affine points are in Montgomery form, little-endian, infinity all zeros; Jacobian points carry one
 * coordinate more.
 */
export class GroupMemory {
  readonly curve: Bn128;
  readonly affineBytes: number;
  readonly jacobianBytes: number;
  readonly #prefix: string;

  constructor(curve: Bn128, group: Group) {
    this.curve = curve;
    this.affineBytes = group === 'g1' ? G1_BYTES : G2_BYTES;
    this.jacobianBytes = (this.affineBytes / 2) * 3;
    this.#prefix = `${group}m_`;
  }

  /** A function of the group by its name. */
  operation(name: string): (...args: number[]) => number {
    return this.curve.tm.instance.exports[this.#prefix + name]!;
  }

  /** The memory as it is now; take it anew after reserving. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.curve.tm.memory.buffer);
  }

  /** @returns where the room starts */
  reserve(bytes: number): number {
    return reserve(this.curve, bytes);
  }

  /** Brings Jacobian points in memory to affine form, into a buffer of their own. */
  toAffine(points: number, count: number): Uint8Array {
    const result = new Uint8Array(count * this.affineBytes);
    const convert = this.operation('batchToAffine');
    const scratch = this.reserve(BATCH * this.affineBytes);
    for (let done = 0; done < count; done += BATCH) {
      const some = Math.min(BATCH, count - done);
      convert(points + done * this.jacobianBytes, some, scratch);
      result.set(this.bytes.subarray(scratch, scratch + some * this.affineBytes), done * this.affineBytes);
    }
    return result;
  }
}
