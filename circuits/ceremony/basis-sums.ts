/**
 * For every wire the sum of its coefficients times points of a basis: the heart of starting phase 2.
 *
 * Each basis point gets a table of its odd multiples 1, 3, .. 15; the terms of a wire share their doublings (interleaved signed windows,
 * B. Möller, "Algorithms for multi-exponentiation", SAC 2001). Coefficients are public.
 */
import { setImmediate } from 'node:timers/promises';
import type { Bn128 } from 'ffjavascript';
import { BATCH } from '../build/fixed-base.ts';
import { GroupMemory, type Group } from './group-memory.ts';
import type { Share } from './powers-of-tau.ts';
import { DIGITS, ODD_MULTIPLES, signedDigits } from './signed-digits.ts';
import type { SparseColumns } from './sparse-columns.ts';

/** Wires between two reports of progress. */
const WIRES_A_TURN = 256;

/** One sum for each wire, kept as Jacobian points in WebAssembly memory. */
export class WireSums {
  readonly memory: GroupMemory;
  readonly count: number;
  readonly #sums: number;

  constructor(curve: Bn128, group: Group, count: number) {
    this.memory = new GroupMemory(curve, group);
    this.count = count;
    this.#sums = this.memory.reserve(count * this.memory.jacobianBytes);
    const zero = this.memory.operation('zero');
    for (let wire = 0; wire < count; wire++) zero(this.at(wire));
  }

  /** Where the sum of a wire lies. */
  at(wire: number): number {
    return this.#sums + wire * this.memory.jacobianBytes;
  }

  /** The sums as affine points. */
  toAffine(): Uint8Array {
    return this.memory.toAffine(this.#sums, this.count);
  }
}

/** A basis with its tables in WebAssembly memory. */
export class Basis {
  readonly #memory: GroupMemory;
  readonly #table: number;
  readonly #running: number;
  #digits = new Int8Array(DIGITS * 64);

  /** @param points - affine points, one for each row */
  constructor(curve: Bn128, group: Group, points: Uint8Array) {
    this.#memory = new GroupMemory(curve, group);
    const { affineBytes, jacobianBytes } = this.#memory;
    const count = points.length / affineBytes;
    this.#table = this.#memory.reserve(count * ODD_MULTIPLES * affineBytes);
    this.#running = this.#memory.reserve(jacobianBytes);
    const point = this.#memory.reserve(affineBytes);
    const twice = this.#memory.reserve(jacobianBytes);
    const batch = this.#memory.reserve(BATCH * jacobianBytes);
    const [toJacobian, double, add, toAffine] = ['toJacobian', 'doubleAffine', 'add', 'batchToAffine'].map((name) =>
      this.#memory.operation(name),
    ) as [CallWasm, CallWasm, CallWasm, CallWasm];
    const perBatch = BATCH / ODD_MULTIPLES;
    for (let done = 0; done < count; done += perBatch) {
      const some = Math.min(perBatch, count - done);
      for (let i = 0; i < some; i++) {
        this.#memory.bytes.set(points.subarray((done + i) * affineBytes, (done + i + 1) * affineBytes), point);
        let place = batch + i * ODD_MULTIPLES * jacobianBytes;
        toJacobian(point, place);
        double(point, twice);
        for (let multiple = 1; multiple < ODD_MULTIPLES; multiple++, place += jacobianBytes)
          add(place, twice, place + jacobianBytes);
      }
      toAffine(batch, some * ODD_MULTIPLES, this.#table + done * ODD_MULTIPLES * affineBytes);
    }
  }

  /** Digits of the terms of one wire, one after another. @returns the highest place */
  #recode(columns: SparseColumns, from: number, to: number): number {
    if (this.#digits.length < (to - from) * DIGITS) this.#digits = new Int8Array((to - from) * 2 * DIGITS);
    let highest = -1;
    for (let term = from; term < to; term++) {
      const place = columns.places[term]!;
      const digits = this.#digits.subarray((term - from) * DIGITS, (term - from + 1) * DIGITS);
      highest = Math.max(highest, signedDigits(columns.coefficients.subarray(place, place + 32), digits));
    }
    return highest;
  }

  /**
   * Adds to every wire's sum its coefficients times this basis.
   * @param first - wire of the sums' first place
   * @param share - told how far it has come
   */
  async addTo(sums: WireSums, columns: SparseColumns, first: number, share: Share): Promise<void> {
    const { affineBytes } = this.#memory;
    const [zero, double, add, addMixed, subMixed] = ['zero', 'double', 'add', 'addMixed', 'subMixed'].map((name) =>
      this.#memory.operation(name),
    ) as [CallWasm, CallWasm, CallWasm, CallWasm, CallWasm];
    const running = this.#running;
    for (let wire = first; wire < first + sums.count; wire++) {
      if ((wire - first) % WIRES_A_TURN === 0) {
        share((wire - first) / sums.count);
        await setImmediate();
      }
      const [from, to] = [columns.starts[wire]!, columns.starts[wire + 1]!];
      if (from === to) continue;
      const highest = this.#recode(columns, from, to);
      zero(running);
      for (let place = highest; place >= 0; place--) {
        if (place !== highest) double(running, running);
        for (let term = from; term < to; term++) {
          const digit = this.#digits[(term - from) * DIGITS + place]!;
          if (digit === 0) continue;
          const entry = this.#table + (columns.rows[term]! * ODD_MULTIPLES + (Math.abs(digit) >> 1)) * affineBytes;
          if (digit > 0) addMixed(running, entry, running);
          else subMixed(running, entry, running);
        }
      }
      add(sums.at(wire - first), running, sums.at(wire - first));
    }
  }
}

type CallWasm = (...args: number[]) => number;
