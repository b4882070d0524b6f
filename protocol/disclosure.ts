/**
 * Selective disclosure: statements about one element of a committed output that a proof shows without the output. docs/protocol.md section 7.
 * The circuit is that of one shape; statement and commitment are its public signals.
 */
import { z } from 'zod';
import type { TensorShape } from './commitments.ts';
import { biasedElements, committedTensorSchema } from './compiled-model.ts';
import { StunError } from './errors/stun-error.ts';
import { DTYPES } from './tensor-payload.ts';

/** Most elements of an output that statements are proven about. */
export const MAX_DISCLOSED_ELEMENTS = 256;

const index = z
  .int()
  .min(0)
  .max(MAX_DISCLOSED_ELEMENTS - 1);

/** What is shown of an output: integers as the model gives them. A bound at the end of the type's range says nothing. */
export const disclosureStatementSchema = z.discriminatedUnion('kind', [
  /** low <= element <= high. */
  z.strictObject({ kind: z.literal('in-range'), index, low: z.int(), high: z.int() }),
  /** The element is the greatest, the first one when several are equal. */
  z.strictObject({ kind: z.literal('argmax-is'), index }),
]);
export type DisclosureStatement = z.infer<typeof disclosureStatementSchema>;

/** The committed tensor, as far as a disclosure depends on it. */
export const disclosedTensorSchema = committedTensorSchema.pick({ dtype: true, shape: true });
export type DisclosedTensor = z.infer<typeof disclosedTensorSchema>;

/** Names of the public signals, in order. `low` and `high` are biased to unsigned as elements are; `isArgmax` is 0 or 1. */
export const DISCLOSURE_SIGNALS = ['outputCommitment', 'index', 'low', 'high', 'isArgmax'] as const;

/** Elements of a shape. @throws `STUN_INPUT` for none or more than {@link MAX_DISCLOSED_ELEMENTS} */
export function disclosedElements({ dims }: Pick<TensorShape, 'dims'>): number {
  const elements = dims.reduce((product, dim) => product * dim, 1);
  if (elements < 1 || elements > MAX_DISCLOSED_ELEMENTS)
    throw new StunError(
      'STUN_INPUT',
      `an output of 1..${MAX_DISCLOSED_ELEMENTS} elements can be disclosed from, not ${elements}`,
    );
  return elements;
}

/** Least and greatest integer of the element type. */
export function integerRange({ dtype, shape }: DisclosedTensor): { readonly low: number; readonly high: number } {
  const bias = Number(biasedElements({ dtype }, [0])[0]!);
  return { low: 0 - bias, high: 2 ** (8 * shape.bytesPerElement) - 1 - bias };
}

/**
 * The public signals of a statement.
 * @throws `STUN_INPUT` when it is none about such a tensor: an index past its end, bounds outside its type or in the wrong order
 */
export function disclosureSignals(
  tensor: DisclosedTensor,
  outputCommitment: bigint,
  statement: DisclosureStatement,
): readonly bigint[] {
  const { code, bytes } = DTYPES[tensor.dtype];
  if (tensor.shape.dtype !== code || tensor.shape.bytesPerElement !== bytes)
    throw new StunError('STUN_INPUT', `the committed shape is not one of ${tensor.dtype}`);
  const elements = disclosedElements(tensor.shape);
  if (statement.index >= elements)
    throw new StunError('STUN_INPUT', `the output has ${elements} elements, the statement is about number ${statement.index}`);
  const range = integerRange(tensor);
  const { low, high } = statement.kind === 'in-range' ? statement : range;
  if (low < range.low || high > range.high || low > high)
    throw new StunError('STUN_INPUT', `bounds must lie in ${range.low}..${range.high}, in this order`);
  const [biasedLow, biasedHigh] = biasedElements(tensor, [low, high]);
  const isArgmax = statement.kind === 'argmax-is' ? 1n : 0n;
  return [outputCommitment, BigInt(statement.index), biasedLow!, biasedHigh!, isArgmax];
}

/** Whether a statement is true of an output. */
export function isTrueOf(statement: DisclosureStatement, output: readonly number[]): boolean {
  const value = output[statement.index];
  if (value === undefined) return false;
  if (statement.kind === 'in-range') return statement.low <= value && value <= statement.high;
  return output.every((other, i) => (i < statement.index ? other < value : other <= value));
}

/** A statement in words. */
export function disclosureInWords(tensor: DisclosedTensor, statement: DisclosureStatement): string {
  const element = `element ${statement.index} of the output`;
  if (statement.kind === 'argmax-is') return `${element} is the greatest, the first if several are equal`;
  const range = integerRange(tensor);
  const { low, high } = statement;
  if (low === high) return `${element} is ${low}`;
  if (high === range.high) return `${element} is at least ${low}`;
  if (low === range.low) return `${element} is at most ${high}`;
  return `${element} is in ${low}..${high}`;
}
