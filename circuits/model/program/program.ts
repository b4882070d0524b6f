/**
 * The integer program: the one description of a compiled model from which its ONNX file, its constraints, its circom and the plain
 * interpreter are made. Values are flat vectors of integers, numbered in the order of their operations; value 0 is the input.
 */
import { utf8 } from '#protocol/bytes.ts';
import type { TensorShape } from '#protocol/commitments.ts';
import type { Tree } from '../constraints/gadgets/trees.ts';
import type { LinearMap } from '../linear-map.ts';
import type { Sliding } from '../sliding.ts';

/** What the model takes: unsigned integers, each with a maximum of its own. */
export interface InputSpec {
  readonly name: string;
  /** Greatest value of each element, 0..65535; the least is 0. */
  readonly maxima: readonly number[];
  /** 1 (uint8) or 2 (uint16), what the greatest maximum needs. */
  readonly bytesPerElement: 1 | 2;
}

/** One step; `of` names the value that it reads. Numbers in linear steps are integers. */
export type Operation =
  | LinearMap
  /** clamp(⌊(x + half) / 2^shift⌋, 0, maximum), with a shift for each element. */
  | { readonly kind: 'requantise'; readonly of: number; readonly shifts: readonly number[]; readonly maximum: number }
  /** The greatest of each window, channel by channel; padding is passed over. */
  | { readonly kind: 'window-max'; readonly of: number; readonly sliding: Sliding }
  /** Sums of the leaves that the trees reach over ranks. */
  | { readonly kind: 'trees'; readonly of: number; readonly trees: readonly Tree[]; readonly biases: readonly number[] }
  /** One element: the index of the greatest, the first among equals. */
  | { readonly kind: 'first-max'; readonly of: number }
  /** The elements of several values, one after the other. */
  | { readonly kind: 'concatenate'; readonly of: readonly number[] };

/** A compiled model. The last value is the output: 32-bit integers, the real score being integer · 2^-outputScale. */
export interface IntegerProgram {
  readonly input: InputSpec;
  readonly operations: readonly Operation[];
  readonly outputName: string;
  /** 0..255. */
  readonly outputScale: number;
}

/** The file that the worker reads; its digest stands in the manifest. */
export function programBytes(program: IntegerProgram): Uint8Array {
  return utf8(`${JSON.stringify(program)}\n`);
}

/** The name of a value in the ONNX file; the last value goes by that of the output. */
export const valueName = (index: number): string => `value_${index}`;

/** Whether input or output of the ONNX file would have the name of something in it: those of values, and names that begin with them. */
export function namesCollide(input: string, output: string): boolean {
  return [input, output].some((name) => name.startsWith('value_')) || input === output || input.startsWith(`${output}_`);
}

/** ONNX element codes of the committed tensors. */
export const DTYPE_CODE = { uint8: 2, uint16: 4, int32: 6 } as const;

/** What is added to an output before it is committed to, so that it is unsigned. */
export const OUTPUT_BIAS = 1n << 31n;

/** Shapes of the two committed tensors, as `tensorCommitment` takes them. Both are vectors. */
export function committedShapes(program: IntegerProgram, outputs: number): { input: TensorShape; output: TensorShape } {
  const { bytesPerElement, maxima } = program.input;
  return {
    input: {
      dtype: bytesPerElement === 1 ? DTYPE_CODE.uint8 : DTYPE_CODE.uint16,
      scale: 0,
      dims: [maxima.length],
      bytesPerElement,
    },
    output: { dtype: DTYPE_CODE.int32, scale: program.outputScale, dims: [outputs], bytesPerElement: 4 },
  };
}
