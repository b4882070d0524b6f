/**
 * The linear work of a program without what limits it. Behind the first activation no input drives an accumulator to its ends by way of the
 * program itself, so each stretch of linear steps is set free: what it reads becomes an input that takes every value within its bounds. The
 * stretches stand side by side in one program, whose output is all of their accumulators and the activations that are made of them.
 */
import { isLinear } from '../linear-map.ts';
import { programBounds } from './bounds.ts';
import type { IntegerProgram, Operation } from './program.ts';

type Step = Exclude<Operation, { readonly kind: 'trees' | 'first-max' | 'concatenate' }>;

const valuesReadBy = ({ of }: Step): readonly number[] => (typeof of === 'number' ? [of] : of);

/** Steps with the values that they give: linear ones, maxima of windows, and the activations behind them. */
function stepsOf({ operations }: IntegerProgram): ReadonlyMap<number, Step> {
  const steps = new Map<number, Step>();
  for (const [i, operation] of operations.entries())
    if (isLinear(operation) || operation.kind === 'window-max' || (operation.kind === 'requantise' && steps.has(operation.of)))
      steps.set(i + 1, operation);
  return steps;
}

/**
 * The program of stretches. Its accumulators have the bounds that they have in `program`, or wider ones where an activation is never 0.
 * @param program - as the compiler makes them: linear steps read the input, activations and each other
 * @returns null when there is nothing linear, as in an ensemble
 * @throws `STUN_MODEL_BOUNDS` as the program itself would
 */
export function stagesOf(program: IntegerProgram): IntegerProgram | null {
  const steps = stepsOf(program);
  if (steps.size === 0) return null;
  const bounds = programBounds(program);
  const operations: Operation[] = [];
  const maxima: number[] = [];
  /** Numbers of values of the program, as they are read in this one. */
  const numbers = new Map<number, number>();
  /** A value that a stretch starts from is an input of its own, an activation of the stretch before included. */
  const read = (value: number): number => {
    const step = steps.get(value);
    if (!numbers.has(value) && (step === undefined || step.kind === 'requantise')) {
      const highs = bounds[value]!.map(({ high }) => Number(high));
      operations.push({ kind: 'rearrange', of: 0, order: highs.map((_, i) => maxima.length + i) });
      maxima.push(...highs);
      numbers.set(value, operations.length);
    }
    return numbers.get(value)!;
  };
  const made: number[] = [];
  for (const [value, step] of steps) {
    const from = valuesReadBy(step).map(read);
    operations.push({ ...step, of: typeof step.of === 'number' ? from[0]! : from } as Step);
    made.push(operations.length);
    if (step.kind !== 'requantise') numbers.set(value, operations.length);
  }
  return {
    input: { name: 'stages', maxima, bytesPerElement: maxima.some((maximum) => maximum > 255) ? 2 : 1 },
    operations: [...operations, { kind: 'concatenate', of: made }],
    outputName: 'accumulators',
    outputScale: 0,
  };
}
