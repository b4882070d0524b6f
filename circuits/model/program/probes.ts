/**
 * Inputs at which arithmetic that is not exact shows: those that drive each accumulator of the first layer to its ends, where 8-bit kernels
 * of some processors saturate (reference: onnxruntime's documentation of quantisation, "reduce_range"), and both ends of every element.
 */
import type { IntegerProgram } from './program.ts';

/** Rows that are looked at in a wide layer, spread over all of it. */
const MOST_ROWS = 24;

/** Inputs within their declared range; the same program gives the same ones. */
export function extremeInputs(program: IntegerProgram): number[][] {
  const { maxima } = program.input;
  const zeros = maxima.map(() => 0);
  const probes = [zeros, [...maxima], maxima.map((maximum, i) => (i % 2 === 0 ? maximum : 0))];
  for (const operation of program.operations) {
    if (operation.kind !== 'affine' || operation.of !== 0) continue;
    const every = Math.max(1, Math.ceil(operation.weights.length / MOST_ROWS));
    for (const row of operation.weights.filter((_, i) => i % every === 0)) {
      probes.push(maxima.map((maximum, i) => (row[i]! > 0 ? maximum : 0)));
      probes.push(maxima.map((maximum, i) => (row[i]! < 0 ? maximum : 0)));
    }
  }
  return probes;
}
