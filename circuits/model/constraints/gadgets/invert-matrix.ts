/** Inversion of small square matrices over the BN254 scalar field, by elimination. */
import { inverse, reduce } from '../../../build/field-math.ts';

/** The inverse. @throws RangeError for a singular matrix */
export function invertMatrix(matrix: readonly (readonly bigint[])[]): bigint[][] {
  const size = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1n : 0n))]);
  for (let pivot = 0; pivot < size; pivot++) {
    const swap = rows.findIndex((row, i) => i >= pivot && row[pivot] !== 0n);
    if (swap < 0) throw new RangeError('the matrix is singular');
    [rows[pivot], rows[swap]] = [rows[swap]!, rows[pivot]!];
    const factor = inverse(rows[pivot]![pivot]!);
    rows[pivot] = rows[pivot]!.map((value) => reduce(value * factor));
    for (let i = 0; i < size; i++) {
      const multiple = rows[i]![pivot]!;
      if (i === pivot || multiple === 0n) continue;
      rows[i] = rows[i]!.map((value, j) => reduce(value - multiple * rows[pivot]![j]!));
    }
  }
  return rows.map((row) => row.slice(size));
}
