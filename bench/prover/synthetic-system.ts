/**
 * A satisfiable constraint system of a given shape: row i is (Σ a·w) · (Σ b·w) = Σ c·w + w_i over random earlier wires with random
 * coefficients of full size, so that w_i is whatever makes it hold.
 */
import type { R1cs } from '#circuits/build/r1cs.ts';
import { FIELD_BYTES, putField } from '#circuits/build/section-container.ts';
import { FIELD_ORDER } from '#protocol/field.ts';

/** What a system has of each. */
export interface Shape {
  readonly constraints: number;
  readonly publicCount: number;
  /** Non-zeros of the three matrices. */
  readonly nonZeros: readonly [a: number, b: number, c: number];
}

/** Coefficients and first values are taken from a table of this many random ones. */
const TABLE = 1 << 12;

/** Numbers that repeat (xorshift32, G. Marsaglia, 2003): for choosing wires and coefficients, nothing else. */
function numbers(): (below: number) => number {
  let state = 0x9e3779b9;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export class SyntheticSystem {
  readonly r1cs: R1cs;
  /** A satisfying assignment, the constant 1 first. */
  readonly values: readonly bigint[];

  constructor({ constraints, publicCount, nonZeros }: Shape) {
    const next = numbers();
    const table = Array.from({ length: TABLE }, () => {
      let value = 0n;
      for (let i = 0; i < 8; i++) value = (value << 32n) | BigInt(next(2 ** 32));
      return value % FIELD_ORDER;
    });
    const first = publicCount + 64;
    const values = [1n, ...table.slice(0, first - 1)];
    const terms = nonZeros[0] + nonZeros[1] + nonZeros[2];
    const data = new Uint8Array(12 * constraints + terms * (4 + FIELD_BYTES));
    const view = new DataView(data.buffer);
    let offset = 0;
    for (let row = 0; row < constraints; row++) {
      const sums = nonZeros.map((count, matrix) => {
        // Shares that add up, whatever the average is.
        const share = Math.floor((count * (row + 1)) / constraints) - Math.floor((count * row) / constraints);
        view.setUint32(offset, share, true);
        offset += 4;
        // The last term of C is the wire that the row defines.
        const free = share - (matrix === 2 ? 1 : 0);
        let sum = 0n;
        for (let t = 0; t < free; t++) {
          const [wire, coefficient] = [next(values.length), table[next(TABLE)]!];
          sum += coefficient * values[wire]!;
          view.setUint32(offset, wire, true);
          putField(view, offset + 4, coefficient);
          offset += 4 + FIELD_BYTES;
        }
        return sum % FIELD_ORDER;
      });
      const defined = (sums[0]! * sums[1]! - sums[2]!) % FIELD_ORDER;
      view.setUint32(offset, values.length, true);
      putField(view, offset + 4, 1n);
      offset += 4 + FIELD_BYTES;
      values.push(defined < 0n ? defined + FIELD_ORDER : defined);
    }
    this.values = values;
    this.r1cs = {
      wireCount: values.length,
      publicCount,
      outputCount: 0,
      inputCount: first - 1,
      constraintCount: constraints,
      constraints: data,
    };
  }
}
