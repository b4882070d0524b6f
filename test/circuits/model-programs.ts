/** Integer programs for tests, random but repeatable. */
import type { Tree } from '#circuits/model/constraints/gadgets/trees.ts';
import { programBounds } from '#circuits/model/program/bounds.ts';
import { interpret } from '#circuits/model/program/interpret.ts';
import type { IntegerProgram, Operation } from '#circuits/model/program/program.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';

/** Dense layers with requantisation between them, then the index of the greatest score and the scores. */
export function layeredProgram(
  random: SeededRandom,
  sizes: readonly number[],
  shift: number,
  weight = (): number => random.integer(255) - 127,
): IntegerProgram {
  const operations: Operation[] = [];
  for (let layer = 1; layer < sizes.length; layer++) {
    const [inputs, outputs] = [sizes[layer - 1]!, sizes[layer]!];
    const weights = Array.from({ length: outputs }, () => Array.from({ length: inputs }, weight));
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

/** Every linear step over images, with padding that is not zero, strides, dilations and groups, and maxima of windows before a rectifier. */
export function imageProgram(random: SeededRandom): IntegerProgram {
  const weights = (rows: number, columns: number): number[][] =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.integer(255) - 127));
  const biases = (count: number): number[] => Array.from({ length: count }, () => random.integer(4000) - 2000);
  const window = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
  const input = { channels: 2, height: 5, width: 4 } as const;
  const first = { ...input, ...window, kernel: [3, 2], strides: [1, 2], dilations: [2, 1], pads: [2, 1, 1, 0] } as const;
  // Value 1 is 4 channels of 4 by 2.
  const half = { channels: 4, height: 4, width: 2, ...window, kernel: [2, 2], strides: [2, 2] } as const;
  const operations: Operation[] = [
    { kind: 'convolve', of: 0, sliding: first, groups: 2, weights: weights(4, 6), biases: biases(4), padding: [9, 31] },
    { kind: 'window-max', of: 1, sliding: { ...half, pads: [1, 0, 1, 1] } },
    { kind: 'window-sum', of: 1, sliding: { ...half, pads: [1, 0, 1, 1] } },
    { kind: 'scale', of: 2, factors: Array.from({ length: 12 }, (_, i) => 3 - i), biases: biases(12) },
    { kind: 'rearrange', of: 4, order: Array.from({ length: 12 }, (_, i) => (5 * i + 2) % 12) },
    { kind: 'add', of: [5, 3] },
    { kind: 'requantise', of: 6, shifts: Array.from({ length: 12 }, (_, i) => 8 + (i % 4)), maximum: 255 },
    { kind: 'affine', of: 7, weights: weights(3, 12), biases: biases(3) },
    { kind: 'first-max', of: 8 },
    { kind: 'concatenate', of: [9, 8] },
  ];
  const maxima = new Array<number>(input.channels * input.height * input.width).fill(255);
  return { input: { name: 'x', maxima, bytesPerElement: 1 }, operations, outputName: 'y', outputScale: 5 };
}

/** Every kind of operation and of gadget, with an output long enough to lie across words. */
export function smallPrograms(): readonly (readonly [name: string, program: IntegerProgram])[] {
  const random = new SeededRandom(20261128);
  return [
    ['layers 6-5-3', layeredProgram(random, [6, 5, 3], 7)],
    ['layers 4-3-9, nine scores', layeredProgram(random, [4, 3, 9], 4)],
    ['images', imageProgram(random)],
    ['trees over 8-bit ranks', treeProgram(random, 6, 3, [5, 0, 12, 255])],
    ['trees over 16-bit ranks', treeProgram(random, 4, 3, [300, 7])],
  ];
}

/** How many accumulators of stages there are, and at how many of them inputs reach both proven bounds. */
export function reachOf(
  stages: IntegerProgram,
  inputs: readonly (readonly number[])[],
): { reached: number; accumulators: number } {
  const bounds = programBounds(stages).at(-1)!;
  const [lows, highs] = [new Set<number>(), new Set<number>()];
  for (const input of inputs)
    for (const [i, value] of interpret(stages, input).entries()) {
      if (BigInt(value) === bounds[i]!.low) lows.add(i);
      if (BigInt(value) === bounds[i]!.high) highs.add(i);
    }
  return { reached: [...lows].filter((i) => highs.has(i)).length, accumulators: bounds.length };
}

/** Inputs: random ones, and rows of zeros and maxima, which reach the ends of accumulators. */
export function inputsOf(program: IntegerProgram, random: SeededRandom, count: number): number[][] {
  return Array.from({ length: count }, (_, k) =>
    program.input.maxima.map((maximum) => (k % 4 === 0 ? (random.integer(2) === 0 ? 0 : maximum) : random.integer(maximum + 1))),
  );
}
