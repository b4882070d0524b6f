/**
 * A constraint system in flat arrays, and its rows as the witness compiler thinks of them: a product of two combinations that cannot be
 * folded, plus a combination, equals 0.
 */
import { parseR1cs, visitTerms, type R1cs } from '../build/r1cs.ts';
import { inverse, reduce } from '../build/field-math.ts';

/** Coefficients by wire, canonical and not 0; wire 0 is the constant 1. */
export type Combination = Map<number, bigint>;

/** `product[0] · product[1] + linear = 0`. */
export interface FoldedRow {
  /** Undefined when one factor is a constant: then all of the row is in `linear`. */
  readonly product: readonly [Combination, Combination] | undefined;
  readonly linear: Combination;
}

const inverses = new Map<bigint, bigint>();

/** 1/value; the same few coefficients are asked for again and again. */
export function inverseOf(value: bigint): bigint {
  let found = inverses.get(value);
  if (found === undefined) inverses.set(value, (found = inverse(value)));
  return found;
}

/** Adds `factor` times a combination to another, in place. */
export function addScaled(sum: Combination, added: Combination, factor: bigint): void {
  for (const [wire, coefficient] of added) {
    const value = reduce((sum.get(wire) ?? 0n) + coefficient * factor);
    if (value === 0n) sum.delete(wire);
    else sum.set(wire, value);
  }
}

/** The constant that a combination is, or undefined when it has wires. */
export function constantOf(combination: Combination): bigint | undefined {
  if (combination.size === 0) return 0n;
  return combination.size === 1 ? combination.get(0) : undefined;
}

/** A constraint system in memory. */
export class ConstraintRows {
  readonly r1cs: R1cs;
  /** Where each (row, matrix) begins among the terms; 3 · rows + 1 entries. */
  readonly #starts: Uint32Array;
  readonly #wires: Uint32Array;
  readonly #coefficients: Uint32Array;
  readonly #pool: bigint[] = [];

  /** @throws `STUN_CIRCUIT_R1CS` */
  constructor(file: Uint8Array) {
    this.r1cs = parseR1cs(file);
    const { constraints, constraintCount } = this.r1cs;
    const most = constraints.length / 36;
    this.#starts = new Uint32Array(3 * constraintCount + 1);
    this.#wires = new Uint32Array(most);
    this.#coefficients = new Uint32Array(most);
    const known = new Map<bigint, number>();
    let count = 0;
    visitTerms(this.r1cs, (matrix, row, wire, coefficient) => {
      let place = known.get(coefficient);
      if (place === undefined) {
        place = this.#pool.push(coefficient) - 1;
        known.set(coefficient, place);
      }
      this.#wires[count] = wire;
      this.#coefficients[count++] = place;
      this.#starts[3 * row + matrix + 1] = count;
    });
    for (let i = 1; i < this.#starts.length; i++) this.#starts[i] = Math.max(this.#starts[i]!, this.#starts[i - 1]!);
  }

  get count(): number {
    return this.r1cs.constraintCount;
  }

  /** Wires of a row, each once, without the constant. */
  wiresOf(row: number): Set<number> {
    const wires = new Set(this.#wires.subarray(this.#starts[3 * row], this.#starts[3 * row + 3]));
    wires.delete(0);
    return wires;
  }

  #combination(part: number): Combination {
    const combination: Combination = new Map();
    for (let t = this.#starts[part]!; t < this.#starts[part + 1]!; t++)
      addScaled(combination, new Map([[this.#wires[t]!, 1n]]), this.#pool[this.#coefficients[t]!]!);
    return combination;
  }

  /** The row A · B - C = 0, folded. */
  folded(row: number): FoldedRow {
    const [a, b] = [this.#combination(3 * row), this.#combination(3 * row + 1)];
    const linear: Combination = new Map();
    addScaled(linear, this.#combination(3 * row + 2), -1n);
    const [left, right] = [constantOf(a), constantOf(b)];
    if (left === undefined && right === undefined) return { product: [a, b], linear };
    if (left !== undefined) addScaled(linear, b, left);
    else addScaled(linear, a, right!);
    return { product: undefined, linear };
  }
}
