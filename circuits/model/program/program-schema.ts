/** The form of an integer program in its file, with the range of every number: those that int32 arithmetic of the ONNX file has. */
import { z } from 'zod';
import { MAX_WIDTH } from '../limits.ts';

const MAX_OPERATIONS = 10_000;
/** Divisors of the ONNX file are powers of two in int32. */
const MAX_SHIFT = 30;

const int32 = z
  .int()
  .min(-(2 ** 31) + 1)
  .max(2 ** 31 - 1);
const count = z.int().min(1).max(MAX_WIDTH);
const value = z.int().min(0);
const row = z.array(int32).min(1);
const pair = z.tuple([count, count]);
const padding = z.int().min(0).max(MAX_WIDTH);
const sliding = z.strictObject({
  channels: count,
  height: count,
  width: count,
  kernel: pair,
  strides: pair,
  dilations: pair,
  pads: z.tuple([padding, padding, padding, padding]),
});
const operation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('affine'), of: value, weights: z.array(row).min(1), biases: row }),
  z.strictObject({
    kind: z.literal('convolve'),
    of: value,
    sliding,
    groups: count,
    weights: z.array(row).min(1),
    biases: row,
    padding: row,
  }),
  z.strictObject({ kind: z.literal('scale'), of: value, factors: row, biases: row }),
  z.strictObject({ kind: z.literal('window-sum'), of: value, sliding }),
  z.strictObject({ kind: z.literal('rearrange'), of: value, order: z.array(value).min(1) }),
  z.strictObject({ kind: z.literal('add'), of: z.tuple([value, value]) }),
  z.strictObject({
    kind: z.literal('requantise'),
    of: value,
    shifts: z.array(z.int().min(0).max(MAX_SHIFT)),
    // The circuit takes it for a number of bits.
    maximum: int32.min(1).refine((maximum) => Number.isInteger(Math.log2(maximum + 1)), 'must be 2^m - 1'),
  }),
  z.strictObject({ kind: z.literal('window-max'), of: value, sliding }),
  // Trees are read by themselves: a schema that calls itself has no limit of its own.
  z.strictObject({ kind: z.literal('trees'), of: z.literal(0), trees: z.array(z.unknown()).min(1), biases: row }),
  z.strictObject({ kind: z.literal('first-max'), of: value }),
  z.strictObject({ kind: z.literal('concatenate'), of: z.array(value).min(1) }),
]);
/** A program as its file holds it: the ranges of its numbers and nothing of what they mean together. */
export const programSchema = z.strictObject({
  input: z.strictObject({
    name: z.string().min(1).max(256),
    maxima: z.array(z.int().min(0).max(65_535)).min(1).max(MAX_WIDTH),
    bytesPerElement: z.union([z.literal(1), z.literal(2)]),
  }),
  operations: z.array(operation).min(1).max(MAX_OPERATIONS),
  outputName: z.string().min(1).max(256),
  outputScale: z.int().min(0).max(255),
});
/** One node of a tree. */
export const nodeSchema = z.union([
  z.strictObject({ leaf: row }),
  z.strictObject({ feature: value, rank: z.int().min(1), below: z.unknown(), above: z.unknown() }),
]);
