/** The integer program run plainly: the reference that ONNX runtime and circuit are held to. */
import { assertInputRange } from '#protocol/compiled-model.ts';
import type { Tree } from '../constraints/gadgets/trees.ts';
import { applyLinear, isLinear } from '../linear-map.ts';
import { windowsOf } from '../sliding.ts';
import { requantised } from './bounds.ts';
import type { IntegerProgram, Operation } from './program.ts';

function greatestOf(values: readonly number[]): number {
  return values.reduce((so, value) => Math.max(so, value));
}

function leafOf(tree: Tree, ranks: readonly number[]): readonly number[] {
  let at = tree;
  while (!('leaf' in at)) at = ranks[at.feature]! >= at.rank ? at.above : at.below;
  return at.leaf;
}

function apply(operation: Operation, values: readonly (readonly number[])[]): number[] {
  if (isLinear(operation)) return applyLinear(operation, values);
  switch (operation.kind) {
    case 'requantise':
      return values[operation.of]!.map((value, i) =>
        Number(requantised(BigInt(value), operation.shifts[i]!, BigInt(operation.maximum))),
      );
    case 'window-max':
      return windowsOf(operation.sliding).map((window) => greatestOf(window.map((place) => values[operation.of]![place]!)));
    case 'trees': {
      const leaves = operation.trees.map((tree) => leafOf(tree, values[operation.of]!));
      return operation.biases.map((bias, score) => leaves.reduce((sum, leaf) => sum + leaf[score]!, bias));
    }
    case 'first-max': {
      const scores = values[operation.of]!;
      return [scores.indexOf(greatestOf(scores))];
    }
    case 'concatenate':
      return operation.of.flatMap((value) => values[value]!);
  }
}

/**
 * Runs the program. All values stay below 2^31 by `programBounds`, so doubles hold them exactly.
 * @returns the output's elements
 * @throws `STUN_MODEL_INPUT_RANGE` for an input outside its declared range
 */
export function interpret(program: IntegerProgram, input: readonly number[]): number[] {
  assertInputRange(program.input.maxima, input);
  const values: number[][] = [[...input]];
  for (const operation of program.operations) values.push(apply(operation, values));
  return values.at(-1)!;
}
