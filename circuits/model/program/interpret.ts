/** The integer program run plainly: the reference that ONNX runtime and circuit are held to. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Tree } from '../constraints/gadgets/trees.ts';
import { requantised } from './bounds.ts';
import type { IntegerProgram, Operation } from './program.ts';

function leafOf(tree: Tree, ranks: readonly number[]): readonly number[] {
  let at = tree;
  while (!('leaf' in at)) at = ranks[at.feature]! >= at.rank ? at.above : at.below;
  return at.leaf;
}

function apply(operation: Operation, values: readonly (readonly number[])[]): number[] {
  switch (operation.kind) {
    case 'affine': {
      const from = values[operation.of]!;
      return operation.weights.map((row, o) => row.reduce((sum, weight, i) => sum + weight * from[i]!, operation.biases[o]!));
    }
    case 'requantise':
      return values[operation.of]!.map((value, i) =>
        Number(requantised(BigInt(value), operation.shifts[i]!, BigInt(operation.maximum))),
      );
    case 'trees': {
      const leaves = operation.trees.map((tree) => leafOf(tree, values[operation.of]!));
      return operation.biases.map((bias, score) => leaves.reduce((sum, leaf) => sum + leaf[score]!, bias));
    }
    case 'first-max': {
      const scores = values[operation.of]!;
      return [scores.indexOf(Math.max(...scores))];
    }
    case 'concatenate':
      return operation.of.flatMap((value) => values[value]!);
  }
}

/**
 * Refuses an input that the program does not take, with the code that compiler, worker and customer share.
 * @throws `STUN_MODEL_INPUT_RANGE`
 */
export function assertProgramInput(program: IntegerProgram, input: readonly number[]): void {
  const { maxima } = program.input;
  if (input.length !== maxima.length)
    throw new StunError('STUN_MODEL_INPUT_RANGE', `the model takes ${maxima.length} integers, got ${input.length}`);
  const wrong = input.findIndex((value, i) => !Number.isInteger(value) || value < 0 || value > maxima[i]!);
  if (wrong >= 0) throw new StunError('STUN_MODEL_INPUT_RANGE', `input ${wrong} must be an integer in 0..${maxima[wrong]!}`);
}

/**
 * Runs the program. All values stay below 2^31 by `programBounds`, so doubles hold them exactly.
 * @returns the output's elements
 * @throws `STUN_MODEL_INPUT_RANGE` for an input outside its declared range
 */
export function interpret(program: IntegerProgram, input: readonly number[]): number[] {
  assertProgramInput(program, input);
  const values: number[][] = [[...input]];
  for (const operation of program.operations) values.push(apply(operation, values));
  return values.at(-1)!;
}
