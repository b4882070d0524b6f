/**
 * Reads an integer program out of a file, and holds it to everything that interpreter, ONNX writer, constraints and witnesses rely on: where
 * one of them saw another meaning in the same program, an honest worker could not prove what it answered.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { readDocument } from '#protocol/wire/scalars.ts';
import { MAX_PRODUCTS, MAX_TREE_DEPTH, MAX_WIDTH } from '../limits.ts';
import { slidSize, windowsOf, type Sliding } from '../sliding.ts';
import { programBounds } from './bounds.ts';
import { nodeSchema, programSchema } from './program-schema.ts';
import { namesCollide, type IntegerProgram, type Operation } from './program.ts';

/** Elements of all values together, at most. */
const MAX_ELEMENTS = 4 * MAX_WIDTH;

type Refuse = (reason: string) => never;

/** What is known of a program while its operations are followed. */
class Follower {
  readonly #maxima: readonly number[];
  readonly #widths: number[];
  readonly #refuse: Refuse;
  #elements = 0;
  #products = 0;

  constructor(maxima: readonly number[], refuse: Refuse) {
    this.#maxima = maxima;
    this.#widths = [maxima.length];
    this.#refuse = refuse;
  }

  /** Takes the next operation. */
  follow(next: Operation): void {
    const width = this.#widthOf(next);
    this.#expect((this.#elements += width) <= MAX_ELEMENTS && width <= MAX_WIDTH, 'it gives too many elements');
    this.#widths.push(width);
  }

  #expect(holds: boolean, reason: string): void {
    if (!holds) this.#refuse(reason);
  }

  #read(index: number): number {
    return this.#widths[index] ?? this.#refuse(`it reads value ${index}, which is not there yet`);
  }

  #widthOf(next: Operation): number {
    switch (next.kind) {
      case 'affine':
        return this.#affine(next.weights, next.biases, this.#read(next.of));
      case 'scale':
        this.#expect(next.factors.length === this.#read(next.of), 'it must have a factor for each element that it reads');
        this.#expect(next.biases.length === next.factors.length, 'it must have as many biases as factors');
        return next.factors.length;
      case 'convolve':
        return this.#convolve(next);
      case 'window-sum':
      case 'window-max': {
        const positions = this.#slide(next.sliding, next.of, next.sliding.channels);
        if (next.kind === 'window-max')
          this.#expect(!windowsOf(next.sliding).some(({ length }) => length === 0), 'a window lies in the padding whole');
        return next.sliding.channels * positions;
      }
      case 'rearrange': {
        const width = this.#read(next.of);
        this.#expect(
          next.order.every((place) => place < width),
          'it takes an element that is not there',
        );
        return next.order.length;
      }
      case 'add':
        this.#expect(this.#read(next.of[0]) === this.#read(next.of[1]), 'it adds values of two sizes');
        return this.#read(next.of[0]);
      case 'requantise':
        this.#expect(next.shifts.length === this.#read(next.of), 'it must have a shift for each element that it reads');
        return next.shifts.length;
      case 'trees':
        for (const tree of next.trees) this.#assertTree(tree, next.biases.length, 0);
        return next.biases.length;
      case 'first-max':
        this.#read(next.of);
        return 1;
      case 'concatenate':
        return next.of.reduce((sum, index) => sum + this.#read(index), 0);
    }
  }

  #affine(weights: readonly (readonly number[])[], biases: readonly number[], columns: number): number {
    this.#expect(
      weights.every(({ length }) => length === columns),
      `each row of weights must have ${columns}`,
    );
    this.#expect(biases.length === weights.length, 'it must have a bias for each row of weights');
    return weights.length;
  }

  #convolve({ sliding, of, groups, weights, biases, padding }: Extract<Operation, { kind: 'convolve' }>): number {
    const { channels, kernel } = sliding;
    this.#expect(channels % groups === 0 && weights.length % groups === 0, 'groups must divide input and output channels');
    const perGroup = channels / groups;
    const positions = this.#slide(sliding, of, weights.length * perGroup);
    this.#affine(weights, biases, perGroup * kernel[0] * kernel[1]);
    this.#expect(padding.length === channels, 'it must have a padding for each input channel');
    return weights.length * positions;
  }

  /** @param planes - that the window slides over, each time for itself @returns positions of the window */
  #slide(sliding: Sliding, of: number, planes: number): number {
    const { channels, height, width, kernel } = sliding;
    this.#expect(channels * height * width === this.#read(of), 'its channels, rows and columns are not those that it reads');
    const [rows, columns] = slidSize(sliding);
    this.#expect(rows >= 1 && columns >= 1, 'its window is larger than what it slides over');
    this.#products += planes * rows * columns * kernel[0] * kernel[1];
    this.#expect(this.#products <= MAX_PRODUCTS, 'its windows take too many products');
    return rows * columns;
  }

  #assertTree(tree: unknown, scores: number, depth: number): void {
    this.#expect(depth <= MAX_TREE_DEPTH, `a tree is deeper than ${MAX_TREE_DEPTH}`);
    const read = nodeSchema.safeParse(tree);
    if (!read.success) return this.#refuse('a tree must be made of leaves and splits of whole numbers');
    if ('leaf' in read.data)
      return this.#expect(read.data.leaf.length === scores, 'a leaf must have as many values as there are biases');
    const { feature, rank, below, above } = read.data;
    this.#expect(feature < this.#maxima.length, 'a split is on a feature that is not there');
    this.#expect(rank <= this.#maxima[feature]!, 'a split is at a rank that its feature never has');
    this.#assertTree(below, scores, depth + 1);
    this.#assertTree(above, scores, depth + 1);
  }
}

/** What a program is beyond its form, but for its bounds. */
function assertProgram({ input, operations, outputName }: IntegerProgram, refuse: Refuse): void {
  const bytesPerElement = input.maxima.some((maximum) => maximum > 255) ? 2 : 1;
  if (input.bytesPerElement !== bytesPerElement) refuse(`elements of the input take ${bytesPerElement} bytes`);
  if (namesCollide(input.name, outputName)) refuse('input and output must have names that nothing else in the ONNX file has');
  let at = '';
  const follower = new Follower(input.maxima, (reason) => refuse(`${at}: ${reason}`));
  for (const [index, next] of operations.entries()) {
    at = `operation ${index} (${next.kind})`;
    follower.follow(next);
  }
}

function parsed(bytes: Uint8Array, refuse: Refuse): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse('it is not JSON');
  }
}

/**
 * Reads a program.
 * @param bytes - as `programBytes` writes them; the order of fields is free
 * @param refusal - the code of every refusal
 * @throws the code of `refusal`, naming what is wrong
 */
export function readProgram(bytes: Uint8Array, refusal: ErrorCode): IntegerProgram {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new StunError(refusal, `the integer program: ${reason}`, cause === undefined ? {} : { cause });
  };
  const document = parsed(bytes, refuse);
  try {
    const program = readDocument(programSchema, document, 'it') as IntegerProgram;
    assertProgram(program, refuse);
    programBounds(program);
    return program;
  } catch (cause) {
    if (!(cause instanceof StunError) || cause.code === refusal) throw cause;
    return refuse(cause.message, cause);
  }
}
