/**
 * Inputs at which arithmetic that is not exact shows: those that drive each accumulator of the first layer to its ends, where 8-bit kernels
 * of some processors saturate (reference: onnxruntime's documentation of quantisation, "reduce_range"), and both ends of every element.
 */
import { isLinear, rowsOf } from '../linear-map.ts';
import type { IntegerProgram } from './program.ts';

/** Rows that are looked at in a wide layer, spread over all of it. */
const MOST_ROWS = 24;

/** Inputs within their declared range; the same program gives the same ones. @param mostRows - of a layer, `Infinity` for all */
export function extremeInputs(program: IntegerProgram, mostRows = MOST_ROWS): number[][] {
  const { maxima } = program.input;
  const zeros = maxima.map(() => 0);
  const probes = [zeros, [...maxima], maxima.map((maximum, i) => (i % 2 === 0 ? maximum : 0))];
  for (const operation of program.operations) {
    if (!isLinear(operation) || operation.of !== 0) continue;
    const rows = rowsOf(operation, maxima.length);
    const every = Math.max(1, Math.ceil(rows.length / mostRows));
    for (const { places, weights } of rows.filter((_, i) => i % every === 0)) {
      for (const sign of [1, -1]) {
        const greatest = new Map(places.map((place, k) => [place, weights[k]! * sign > 0 ? maxima[place]! : 0]));
        probes.push(zeros.map((_, place) => greatest.get(place) ?? 0));
      }
    }
  }
  return probes;
}
