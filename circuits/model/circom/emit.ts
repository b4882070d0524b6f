/**
 * The integer program as circom, for people to review and for circom's own tools to check: the same public signals as the constraints that are
 * written directly, out of a second, independent description. The gadgets are in gadgets.circom beside this file.
 */
import { bitsFor } from '../constraints/gadgets/range.ts';
import { roundingHalf, widest, type Bounds } from '../constraints/gadgets/requantise.ts';
import type { Tree } from '../constraints/gadgets/trees.ts';
import { isLinear, type LinearMap } from '../linear-map.ts';
import { programBounds } from '../program/bounds.ts';
import { committedShapes, OUTPUT_BIAS, type IntegerProgram, type Operation } from '../program/program.ts';
import { OUTSIDE, tapsOf, windowsOf, type Sliding } from '../sliding.ts';

/** What emitted sources include, relative to the repository root. */
export const GADGETS = 'circuits/model/circom/gadgets.circom';

/** Numbers on one line, at most; longer lists take several. */
const PER_LINE = 24;

type Numbers = readonly number[] | readonly (readonly number[])[];

function literal(values: Numbers): string {
  const parts = values.map((value) => (typeof value === 'number' ? String(value) : literal(value)));
  const lines = Array.from({ length: Math.ceil(parts.length / PER_LINE) }, (_, i) =>
    parts.slice(i * PER_LINE, (i + 1) * PER_LINE).join(', '),
  );
  return `[${lines.join(',\n        ')}]`;
}

/** The body of the main template under construction. */
class Body {
  readonly lines: string[] = [];
  #constants = 0;

  add(line: string): void {
    this.lines.push(`    ${line}`);
  }

  /** Declares constants. @returns their name */
  constant(purpose: string, values: Numbers): string {
    const name = `${purpose}${this.#constants++}`;
    const [first] = values;
    const inner = Array.isArray(first) ? `[${first.length}]` : '';
    this.add(`var ${name}[${values.length}]${inner} = ${literal(values)};`);
    return name;
  }
}

function placesOf(sliding: Sliding, outside: 'repeat' | 'mark'): number[][] {
  const size = tapsOf(sliding)[0]!.length;
  return windowsOf(sliding).map((window) =>
    Array.from({ length: size }, (_, k) => window[k] ?? (outside === 'repeat' ? window[0]! : OUTSIDE)),
  );
}

function linear(body: Body, operation: LinearMap, width: number): string {
  switch (operation.kind) {
    case 'affine': {
      const [weights, biases] = [body.constant('weights', operation.weights), body.constant('biases', operation.biases)];
      return `Dense(${width}, ${operation.weights.length}, ${weights}, ${biases})(value${operation.of})`;
    }
    case 'convolve': {
      const { sliding, groups, weights, biases, padding } = operation;
      const taps = tapsOf(sliding);
      const counts = [sliding.channels, sliding.height * sliding.width, groups, weights.length, taps.length, taps[0]!.length];
      const names = [
        body.constant('places', taps),
        body.constant('weights', weights),
        body.constant('biases', biases),
        body.constant('padding', padding),
      ];
      return `Convolve(${[...counts, ...names].join(', ')})(value${operation.of})`;
    }
    case 'scale': {
      const [factors, biases] = [body.constant('factors', operation.factors), body.constant('biases', operation.biases)];
      return `Scale(${width}, ${factors}, ${biases})(value${operation.of})`;
    }
    case 'window-sum': {
      const places = placesOf(operation.sliding, 'mark');
      return `WindowSum(${width}, ${places.length}, ${places[0]!.length}, ${body.constant('places', places)})(value${operation.of})`;
    }
    case 'rearrange':
      return `Rearrange(${width}, ${body.constant('order', operation.order)})(value${operation.of})`;
    case 'add':
      return `Sum(${width})(${operation.of.map((value) => `value${value}`).join(', ')})`;
  }
}

/** Bits of the magnitude that `Requantise` takes for one element; 0 where the activation is always 0. */
function requantiseWidth({ low, high }: Bounds, shift: number): number {
  const half = roundingHalf(shift);
  if (high + half < 1n << BigInt(shift)) return 0;
  let width = shift + 1;
  while (-(1n << BigInt(width)) > low + half || 1n << BigInt(width) <= high + half) width++;
  return width;
}

/** Nodes and leaves as lists, a parent before its children. */
function listsOf(
  trees: readonly Tree[],
  offsets: readonly number[],
): Record<'parents' | 'sides' | 'thresholds' | 'leafParents' | 'leafSides', number[]> & { leafValues: (readonly number[])[] } {
  const lists = { parents: [], sides: [], thresholds: [], leafParents: [], leafSides: [], leafValues: [] } as ReturnType<
    typeof listsOf
  >;
  const visit = (tree: Tree, parent: number, side: number): void => {
    if ('leaf' in tree) {
      lists.leafParents.push(parent);
      lists.leafSides.push(side);
      lists.leafValues.push(tree.leaf);
      return;
    }
    const node = lists.parents.push(parent) - 1;
    lists.sides.push(side);
    lists.thresholds.push(offsets[tree.feature]! + tree.rank - 1);
    visit(tree.below, node, 0);
    visit(tree.above, node, 1);
  };
  for (const tree of trees) visit(tree, -1, 0);
  return lists;
}

function trees(body: Body, operation: Extract<Operation, { kind: 'trees' }>, bounds: readonly Bounds[], to: number): string {
  const steps = bounds.map(({ high }) => Number(high));
  const offsets = steps.map((_, feature) => steps.slice(0, feature).reduce((sum, one) => sum + one, 0));
  const total = steps.reduce((sum, one) => sum + one, 0);
  body.add(`signal reached${to}[${total}];`);
  for (const [feature, count] of steps.entries()) {
    const element = `value${operation.of}[${feature}]`;
    if (count === 0) {
      body.add(`${element} === 0;`);
      continue;
    }
    const name = `reached${to}_${feature}`;
    body.add(`signal ${name}[${count}] <== Thermometer(${count})(${element});`);
    body.add(`for (var j = 0; j < ${count}; j++) { reached${to}[${offsets[feature]!} + j] <== ${name}[j]; }`);
  }
  const lists = listsOf(operation.trees, offsets);
  const { parents, sides, thresholds, leafParents, leafSides, leafValues } = lists;
  const nodes = [parents.length, ...[parents, sides, thresholds].map((list) => body.constant('nodes', list))];
  const leaves = [leafParents.length, ...[leafParents, leafSides].map((list) => body.constant('leaves', list))];
  const scores = [operation.biases.length, body.constant('leaves', leafValues), body.constant('biases', operation.biases)];
  return `Trees(${[total, ...nodes, ...leaves, ...scores].join(', ')})(reached${to})`;
}

function expressionOf(body: Body, operation: Operation, bounds: readonly (readonly Bounds[])[], to: number): string {
  if (isLinear(operation))
    return linear(body, operation, bounds[typeof operation.of === 'number' ? operation.of : operation.of[0]]!.length);
  switch (operation.kind) {
    case 'requantise': {
      const from = bounds[operation.of]!;
      const widths = body.constant(
        'widths',
        from.map((one, i) => requantiseWidth(one, operation.shifts[i]!)),
      );
      const nBits = bitsFor(BigInt(operation.maximum));
      return `Requantise(${from.length}, ${widths}, ${body.constant('shifts', operation.shifts)}, ${nBits})(value${operation.of})`;
    }
    case 'window-max': {
      const from = bounds[operation.of]!;
      const places = placesOf(operation.sliding, 'repeat');
      const { low, high } = widest(from);
      const counts = [from.length, places.length, places[0]!.length, body.constant('places', places), bitsFor(high - low)];
      return `WindowMax(${counts.join(', ')})(value${operation.of})`;
    }
    case 'trees':
      return trees(body, operation, bounds[operation.of]!, to);
    case 'first-max': {
      const { low, high } = widest(bounds[operation.of]!);
      return `[FirstMax(${bounds[operation.of]!.length}, ${bitsFor(high - low)})(value${operation.of})]`;
    }
    case 'concatenate':
      return '';
  }
}

function step(body: Body, operation: Operation, bounds: readonly (readonly Bounds[])[], to: number): void {
  body.add('');
  body.add(`// ${operation.kind}`);
  const width = bounds[to]!.length;
  if (operation.kind === 'concatenate') {
    body.add(`signal value${to}[${width}];`);
    let offset = 0;
    for (const value of operation.of) {
      const count = bounds[value]!.length;
      body.add(`for (var i = 0; i < ${count}; i++) { value${to}[${offset} + i] <== value${value}[i]; }`);
      offset += count;
    }
    return;
  }
  const expression = expressionOf(body, operation, bounds, to);
  body.add(`signal value${to}[${width}] <== ${expression};`);
}

/**
 * The circom source of a program. Public signals: inputCommitment, outputCommitment.
 * @param gadgets - how the source includes circuits/model/circom/gadgets.circom
 * @throws `STUN_MODEL_BOUNDS` as `programBounds`
 */
export function circomOf(program: IntegerProgram, gadgets: string): string {
  const bounds = programBounds(program);
  const body = new Body();
  const { maxima, bytesPerElement } = program.input;
  const last = bounds.length - 1;
  const outputs = bounds[last]!.length;
  const shapes = committedShapes(program, outputs);
  if (!program.operations.some((operation) => operation.kind === 'trees' && operation.of === 0)) {
    const [widths, most] = [maxima.map((maximum) => bitsFor(BigInt(maximum))), body.constant('maxima', maxima)];
    const names = body.constant('widths', widths);
    body.add(`for (var i = 0; i < ${maxima.length}; i++) { Within(${names}[i], ${most}[i])(value0[i]); }`);
  }
  for (const [i, operation] of program.operations.entries()) step(body, operation, bounds, i + 1);
  const { dtype, scale } = shapes.output;
  return `pragma circom 2.1.6;

include "${gadgets}";

template Model() {
    signal input value0[${maxima.length}];
    signal input inputBlinding;
    signal input outputBlinding;
    signal output inputCommitment;
    signal output outputCommitment;

${body.lines.map((line) => line.trimEnd()).join('\n')}

    inputCommitment <== TensorCommitment(${maxima.length}, ${bytesPerElement}, ${shapes.input.dtype}, 0)(value0, inputBlinding);
    signal biased[${outputs}];
    for (var i = 0; i < ${outputs}; i++) { biased[i] <== value${last}[i] + ${OUTPUT_BIAS}; }
    outputCommitment <== TensorCommitment(${outputs}, 4, ${dtype}, ${scale})(biased, outputBlinding);
}

component main = Model();
`;
}
