/** R1CS evaluation for tests: wires by name, fast row checks. */
import { readFile } from 'node:fs/promises';
import { FIELD_ORDER } from '#protocol/field.ts';
import { parseR1cs, visitTerms, type R1cs } from '#circuits/build/r1cs.ts';

/** Wire of every named signal; signals that the compiler removed are left out. */
export async function readSymbols(path: string): Promise<Map<string, number>> {
  const wires = new Map<string, number>();
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const [, wire, , name] = line.split(',');
    if (name !== undefined && Number(wire) >= 0) wires.set(name, Number(wire));
  }
  return wires;
}

/** A constraint system in memory, for many evaluations. */
export class Rows {
  readonly r1cs: R1cs;
  /** Start of each (row, matrix) in the term arrays; length 3 · rows + 1. */
  readonly #starts: Uint32Array;
  readonly #wires: number[] = [];
  readonly #coefficients: bigint[] = [];

  constructor(bytes: Uint8Array) {
    this.r1cs = parseR1cs(bytes);
    this.#starts = new Uint32Array(3 * this.r1cs.constraintCount + 1);
    visitTerms(this.r1cs, (matrix, row, wire, coefficient) => {
      this.#wires.push(wire);
      // Small negative coefficients stay small.
      this.#coefficients.push(coefficient > FIELD_ORDER / 2n ? coefficient - FIELD_ORDER : coefficient);
      this.#starts[3 * row + matrix + 1] = this.#wires.length;
    });
    for (let i = 1; i < this.#starts.length; i++) this.#starts[i] = Math.max(this.#starts[i]!, this.#starts[i - 1]!);
  }

  /** Reads a constraint file. */
  static async read(path: string): Promise<Rows> {
    return new Rows(await readFile(path));
  }

  #sum(part: number, witness: readonly bigint[]): bigint {
    let sum = 0n;
    for (let t = this.#starts[part]!; t < this.#starts[part + 1]!; t++) sum += this.#coefficients[t]! * witness[this.#wires[t]!]!;
    return sum;
  }

  /** Whether one row holds. */
  holds(row: number, witness: readonly bigint[]): boolean {
    return (this.#sum(3 * row, witness) * this.#sum(3 * row + 1, witness) - this.#sum(3 * row + 2, witness)) % FIELD_ORDER === 0n;
  }

  /** Whether every row holds. */
  accepts(witness: readonly bigint[]): boolean {
    for (let row = 0; row < this.r1cs.constraintCount; row++) if (!this.holds(row, witness)) return false;
    return true;
  }

  /** Rows that do not hold. */
  violated(witness: readonly bigint[]): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.r1cs.constraintCount; row++) if (!this.holds(row, witness)) rows.push(row);
    return rows;
  }

  /** Wires of a row, without the constant. */
  wiresOf(row: number): Set<number> {
    const wires = new Set(this.#wires.slice(this.#starts[3 * row], this.#starts[3 * row + 3]));
    wires.delete(0);
    return wires;
  }

  /** Rows by wire. */
  rowsByWire(): number[][] {
    const rows = Array.from({ length: this.r1cs.wireCount }, () => [] as number[]);
    for (let row = 0; row < this.r1cs.constraintCount; row++) for (const wire of this.wiresOf(row)) rows[wire]!.push(row);
    return rows;
  }
}
