/**
 * The constraints of an integer program. Public signals: inputCommitment, outputCommitment. Private inputs: the elements, then the two
 * blindings. Weights are coefficients, so an affine layer has no rows of its own.
 */
import { Linear } from './linear.ts';
import { isLinear, readBy, rowsOf, type LinearRow } from '../linear-map.ts';
import { windowsOf } from '../sliding.ts';
import { programBounds } from '../program/bounds.ts';
import { committedShapes, OUTPUT_BIAS, type IntegerProgram, type Operation } from '../program/program.ts';
import { firstMax } from './gadgets/first-max.ts';
import { greatest } from './gadgets/greatest.ts';
import { bitsFor, toBits } from './gadgets/range.ts';
import { requantise, widest, type Bounds } from './gadgets/requantise.ts';
import { commitTensor } from './gadgets/tensor-commitment.ts';
import { thermometer, treeScores } from './gadgets/trees.ts';
import { ConstraintSystem } from './system.ts';

/** Names of the public signals, in order. */
export const MODEL_SIGNALS = ['inputCommitment', 'outputCommitment'] as const;

function linearValue({ places, weights, constant }: LinearRow, from: readonly Linear[]): Linear {
  const parts: [bigint, Linear][] = [[BigInt(constant), Linear.constant(1n)]];
  for (const [k, place] of places.entries()) if (weights[k] !== 0) parts.push([BigInt(weights[k]!), from[place]!]);
  return Linear.combine(parts);
}

function lower(
  system: ConstraintSystem,
  operation: Operation,
  values: readonly (readonly Linear[])[],
  bounds: readonly (readonly Bounds[])[],
): Linear[] {
  if (isLinear(operation)) {
    const from = readBy(operation, values);
    return rowsOf(operation, from.length).map((row) => linearValue(row, from));
  }
  switch (operation.kind) {
    case 'requantise':
      return values[operation.of]!.map((value, i) =>
        requantise(system, value, bounds[operation.of]![i]!, operation.shifts[i]!, BigInt(operation.maximum)),
      );
    case 'window-max':
      return windowsOf(operation.sliding).map((window) =>
        greatest(
          system,
          window.map((place) => ({ of: values[operation.of]![place]!, bounds: bounds[operation.of]![place]! })),
        ),
      );
    case 'trees': {
      const maxima = bounds[operation.of]!.map(({ high }) => Number(high));
      const reached = values[operation.of]!.map((rank, feature) => thermometer(system, rank, maxima[feature]!));
      const scores = treeScores(system, operation.trees, reached, operation.biases.length);
      return scores.map((score, i) => score.plus(Linear.constant(BigInt(operation.biases[i]!))));
    }
    case 'first-max':
      return [firstMax(system, values[operation.of]!, widest(bounds[operation.of]!))];
    case 'concatenate':
      return operation.of.flatMap((value) => values[value]!);
  }
}

/** Whether a value's elements are proven to be in range by the operation that reads them: a thermometer is a range proof. */
function rangedByTrees(program: IntegerProgram): boolean {
  return program.operations.some((operation) => operation.kind === 'trees' && operation.of === 0);
}

/** Proves that every element of the input is in 0..maximum, unless a later operation does. */
function rangeInputs(system: ConstraintSystem, program: IntegerProgram, elements: readonly Linear[]): void {
  if (rangedByTrees(program)) return;
  for (const [i, element] of elements.entries()) {
    const maximum = BigInt(program.input.maxima[i]!);
    const width = bitsFor(maximum);
    toBits(system, 'input', element, width);
    // A maximum between two powers of two takes a second proof, of what is left to it.
    if (maximum !== (1n << BigInt(width)) - 1n) toBits(system, 'input.rest', Linear.constant(maximum).minus(element), width);
  }
}

/**
 * Builds the system.
 * @throws `STUN_MODEL_BOUNDS` as `programBounds`
 */
export function synthesise(program: IntegerProgram): ConstraintSystem {
  const bounds = programBounds(program);
  const count = program.input.maxima.length;
  const system = new ConstraintSystem({ publicCount: MODEL_SIGNALS.length, inputCount: count + 2 });
  const elements = Array.from({ length: count }, (_, i) => system.input(i));
  rangeInputs(system, program, elements);
  const values: (readonly Linear[])[] = [elements];
  for (const operation of program.operations) values.push(lower(system, operation, values, bounds));
  const output = values.at(-1)!.map((value) => value.plus(Linear.constant(OUTPUT_BIAS)));
  const shapes = committedShapes(program, output.length);
  system.expose('commitment.input', commitTensor(system, shapes.input, elements, system.input(count)));
  system.expose('commitment.output', commitTensor(system, shapes.output, output, system.input(count + 1)));
  return system;
}
