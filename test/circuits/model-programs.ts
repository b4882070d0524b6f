/** Integer programs for tests, random but repeatable. */
import type { Tree } from '#circuits/model/constraints/gadgets/trees.ts';
import type { IntegerProgram, Operation } from '#circuits/model/program/program.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';

/** Dense layers with requantisation between them, then the index of the greatest score and the scores. */
export function layeredProgram(random: SeededRandom, sizes: readonly number[], shift: number): IntegerProgram {
  const operations: Operation[] = [];
  for (let layer = 1; layer < sizes.length; layer++) {
    const [inputs, outputs] = [sizes[layer - 1]!, sizes[layer]!];
    const weights = Array.from({ length: outputs }, () => Array.from({ length: inputs }, () => random.integer(255) - 127));
    const biases = Array.from({ length: outputs }, () => random.integer(4000) - 2000);
    operations.push({ kind: 'affine', of: operations.length, weights, biases });
    if (layer === sizes.length - 1) break;
    // Shifts differ from neuron to neuron, so that some saturate and some cannot.
    const shifts = weights.map((_, o) => Math.max(0, shift - (o % 4)));
    operations.push({ kind: 'requantise', of: operations.length, shifts, maximum: 255 });
  }
  const scores = operations.length;
  operations.push({ kind: 'first-max', of: scores }, { kind: 'concatenate', of: [scores + 1, scores] });
  const maxima = Array.from({ length: sizes[0]! }, (_, i) => (i % 3 === 2 ? 200 : 255));
  return { input: { name: 'x', maxima, bytesPerElement: 1 }, operations, outputName: 'y', outputScale: 7 };
}

function randomTree(random: SeededRandom, depth: number, maxima: readonly number[]): Tree {
  if (depth === 0) return { leaf: [random.integer(2001) - 1000, random.integer(2001) - 1000] };
  const askable = maxima.flatMap((maximum, i) => (maximum > 0 ? [i] : []));
  const feature = askable[random.integer(askable.length)]!;
  return {
    feature,
    rank: 1 + random.integer(maxima[feature]!),
    below: randomTree(random, depth - 1, maxima),
    above: randomTree(random, depth - 1, maxima),
  };
}

/** An ensemble with two scores. */
export function treeProgram(random: SeededRandom, trees: number, depth: number, maxima: readonly number[]): IntegerProgram {
  return {
    input: { name: 'x', maxima, bytesPerElement: Math.max(...maxima) > 255 ? 2 : 1 },
    operations: [
      { kind: 'trees', of: 0, trees: Array.from({ length: trees }, () => randomTree(random, depth, maxima)), biases: [3, -5] },
      { kind: 'first-max', of: 1 },
      { kind: 'concatenate', of: [2, 1] },
    ],
    outputName: 'y',
    outputScale: 10,
  };
}

/** Every kind of operation and of gadget, with an output long enough to lie across words. */
export function smallPrograms(): readonly (readonly [name: string, program: IntegerProgram])[] {
  const random = new SeededRandom(20261128);
  return [
    ['layers 6-5-3', layeredProgram(random, [6, 5, 3], 7)],
    ['layers 4-3-9, nine scores', layeredProgram(random, [4, 3, 9], 4)],
    ['trees over 8-bit ranks', treeProgram(random, 6, 3, [5, 0, 12, 255])],
    ['trees over 16-bit ranks', treeProgram(random, 4, 3, [300, 7])],
  ];
}

/** Inputs: random ones, and rows of zeros and maxima, which reach the ends of accumulators. */
export function inputsOf(program: IntegerProgram, random: SeededRandom, count: number): number[][] {
  return Array.from({ length: count }, (_, k) =>
    program.input.maxima.map((maximum) => (k % 4 === 0 ? (random.integer(2) === 0 ? 0 : maximum) : random.integer(maximum + 1))),
  );
}

/** The inputs at which a score of the first affine operation is least and greatest. */
export function extremesOf(program: IntegerProgram): number[][] {
  const affine = program.operations.find((operation) => operation.kind === 'affine');
  if (affine === undefined) return [];
  return affine.weights.flatMap((row) => [
    row.map((weight, i) => (weight > 0 ? program.input.maxima[i]! : 0)),
    row.map((weight, i) => (weight < 0 ? program.input.maxima[i]! : 0)),
  ]);
}
