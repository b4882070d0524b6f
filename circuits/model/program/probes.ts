/**
 * Inputs at which arithmetic that is not exact shows: those that drive accumulators to their ends, where 8-bit kernels of some processors
 * saturate (reference: onnxruntime's documentation of quantisation, "reduce_range"), and both ends of every element.
 *
 * An accumulator can be driven to its ends where nothing but linear steps lies between it and the input: in the first layer of a program, and
 * in all of `stagesOf` it. Maxima of windows are driven at one place of each window.
 */
import { isLinear, readBy, rowsOf } from '../linear-map.ts';
import { windowsOf } from '../sliding.ts';
import type { IntegerProgram, Operation } from './program.ts';

/** Rows that are looked at in a wide layer, spread over all of it. */
const MOST_ROWS = 24;

/** Weights by the place of the input that they weigh. */
type Weights = ReadonlyMap<number, number>;

/** The values of a program as sums over its input, derived one element at a time. */
class InputForms {
  readonly #operations: readonly Operation[];
  readonly #windows = new Map<Operation, readonly (readonly number[])[]>();
  /** One entry for each element that a value has; the input's first. */
  readonly #values: (readonly null[])[];

  constructor({ input, operations }: IntegerProgram) {
    this.#operations = operations;
    this.#values = [input.maxima.map(() => null)];
    for (const operation of operations) this.#values.push(new Array<null>(this.#widthOf(operation)).fill(null));
  }

  #widthOf(operation: Operation): number {
    if (isLinear(operation)) return rowsOf(operation, readBy(operation, this.#values).length).length;
    switch (operation.kind) {
      case 'window-max':
        this.#windows.set(operation, windowsOf(operation.sliding));
        return this.#windows.get(operation)!.length;
      case 'requantise':
        return operation.shifts.length;
      case 'trees':
        return operation.biases.length;
      case 'first-max':
        return 1;
      case 'concatenate':
        return operation.of.reduce((sum, value) => sum + this.#values[value]!.length, 0);
    }
  }

  widthOf(value: number): number {
    return this.#values[value]!.length;
  }

  /** The weights of one element; null where something that is not linear lies between it and the input. */
  weightsOf(value: number, element: number): Weights | null {
    if (value === 0) return new Map([[element, 1]]);
    const operation = this.#operations[value - 1]!;
    if (operation.kind === 'window-max') return this.weightsOf(operation.of, this.#windows.get(operation)![element]![0]!);
    if (!isLinear(operation)) return null;
    const { of } = operation;
    const [first, second] = typeof of === 'number' ? [of, of] : of;
    const width = this.widthOf(first);
    const { places, weights } = rowsOf(operation, readBy(operation, this.#values).length)[element]!;
    const sum = new Map<number, number>();
    for (const [k, place] of places.entries()) {
      const read = place < width ? this.weightsOf(first, place) : this.weightsOf(second, place - width);
      if (read === null) return null;
      for (const [at, weight] of read) sum.set(at, (sum.get(at) ?? 0) + weights[k]! * weight);
    }
    return sum;
  }
}

/** Inputs within their declared range; the same program gives the same ones. @param mostRows - of a layer, `Infinity` for all */
export function extremeInputs(program: IntegerProgram, mostRows = MOST_ROWS): number[][] {
  const { maxima } = program.input;
  const probes = [maxima.map(() => 0), [...maxima], maxima.map((maximum, i) => (i % 2 === 0 ? maximum : 0))];
  const forms = new InputForms(program);
  for (const [i, operation] of program.operations.entries()) {
    // Orders of the elements of another value have no accumulators of their own.
    if (!isLinear(operation) || operation.kind === 'rearrange') continue;
    const width = forms.widthOf(i + 1);
    const every = Math.max(1, Math.ceil(width / mostRows));
    for (let element = 0; element < width; element += every) {
      const weights = forms.weightsOf(i + 1, element);
      if (weights === null) break;
      for (const sign of [1, -1]) probes.push(maxima.map((maximum, at) => ((weights.get(at) ?? 0) * sign > 0 ? maximum : 0)));
    }
  }
  return probes;
}
