/** The columns of a constraint system: for each wire its terms, for sums over the rows that a wire stands in. */
import { visitTerms, type R1cs } from '../build/r1cs.ts';

/** Terms of one matrix, by wire. */
export interface SparseColumns {
  /** Terms of wire w are starts[w] .. starts[w+1]-1. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
  /** Place of each coefficient in `coefficients`: 32 bytes, little-endian, canonical. */
  readonly places: Uint32Array;
  readonly coefficients: Uint8Array;
}

const ONE = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));

/**
 * The matrices A, B and C by wire; A has one more row for each public wire, the constant 1 included, with that wire alone.
 * Terms lie in memory that threads can share.
 * @throws `STUN_CIRCUIT_R1CS` when the constraint section is malformed
 */
export function columnsOf(r1cs: R1cs): readonly [SparseColumns, SparseColumns, SparseColumns] {
  const coefficients = new Uint8Array(new SharedArrayBuffer(r1cs.constraints.length + ONE.length));
  coefficients.set(r1cs.constraints);
  coefficients.set(ONE, r1cs.constraints.length);
  const counts = [0, 1, 2].map(() => new Uint32Array(r1cs.wireCount + 1));
  const visitAll = (visit: (matrix: number, row: number, wire: number, place: number) => void): void => {
    visitTerms(r1cs, (matrix, row, wire, _coefficient, place) => visit(matrix, row, wire, place));
    for (let wire = 0; wire <= r1cs.publicCount; wire++) visit(0, r1cs.constraintCount + wire, wire, r1cs.constraints.length);
  };
  visitAll((matrix, _row, wire) => void counts[matrix]![wire + 1]!++);
  const columns = counts.map((starts) => {
    for (let wire = 0; wire < r1cs.wireCount; wire++) starts[wire + 1]! += starts[wire]!;
    const terms = starts[r1cs.wireCount]!;
    const words = (): Uint32Array => new Uint32Array(new SharedArrayBuffer(4 * terms));
    return { starts, rows: words(), places: words(), coefficients };
  });
  const next = columns.map(({ starts }) => starts.slice());
  visitAll((matrix, row, wire, place) => {
    const at = next[matrix]![wire]!++;
    columns[matrix]!.rows[at] = row;
    columns[matrix]!.places[at] = place;
  });
  return columns as [SparseColumns, SparseColumns, SparseColumns];
}
