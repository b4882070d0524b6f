/** Statements about one element of an output: their public signals, their truth and their words. docs/protocol.md section 7. */
import assert from 'node:assert/strict';
import {
  disclosedElements,
  disclosedTensorSchema,
  disclosureInWords,
  disclosureSignals,
  disclosureStatementSchema,
  integerRange,
  isTrueOf,
  type DisclosedTensor,
  type DisclosureStatement,
} from '#protocol/index.ts';
import { throwsCode } from '../assert-code.ts';

const INT32 = { dtype: 'int32', shape: { dtype: 6, scale: 4, dims: [3], bytesPerElement: 4 } } satisfies DisclosedTensor;
const UINT16 = { dtype: 'uint16', shape: { dtype: 4, scale: 4, dims: [2, 2], bytesPerElement: 2 } } satisfies DisclosedTensor;
const UINT8 = { dtype: 'uint8', shape: { dtype: 2, scale: 0, dims: [256], bytesPerElement: 1 } } satisfies DisclosedTensor;
const LEAST = -(2 ** 31);
const MOST = 2 ** 31 - 1;

const inRange = (index: number, low: number, high: number): DisclosureStatement => ({ kind: 'in-range', index, low, high });
const argmaxIs = (index: number): DisclosureStatement => ({ kind: 'argmax-is', index });

describe('disclosure statements', () => {
  it('are about integers of the element type', () => {
    assert.deepEqual(integerRange(INT32), { low: LEAST, high: MOST });
    assert.deepEqual(integerRange(UINT16), { low: 0, high: 65_535 });
    assert.deepEqual(integerRange(UINT8), { low: 0, high: 255 });
  });

  it('have the signals of the circuit, with bounds biased to unsigned', () => {
    const whole = 2n ** 32n - 1n;
    assert.deepEqual(disclosureSignals(INT32, 7n, inRange(0, LEAST, MOST)), [7n, 0n, 0n, whole, 0n]);
    assert.deepEqual(disclosureSignals(INT32, 7n, inRange(2, -1, -1)), [7n, 2n, 2n ** 31n - 1n, 2n ** 31n - 1n, 0n]);
    assert.deepEqual(disclosureSignals(INT32, 7n, argmaxIs(2)), [7n, 2n, 0n, whole, 1n]);
    assert.deepEqual(disclosureSignals(UINT16, 7n, argmaxIs(3)), [7n, 3n, 0n, 65_535n, 1n]);
    assert.deepEqual(disclosureSignals(UINT8, 7n, inRange(255, 0, 255)), [7n, 255n, 0n, 255n, 0n]);
  });

  const refused: readonly (readonly [string, DisclosedTensor, DisclosureStatement])[] = [
    ['a range of an element past the end', INT32, inRange(3, 0, 1)],
    ['a maximum past the end', INT32, argmaxIs(3)],
    ['bounds in the wrong order', INT32, inRange(0, 2, 1)],
    ['a lower bound below the type', INT32, inRange(0, LEAST - 1, 0)],
    ['an upper bound past the type', INT32, inRange(0, 0, MOST + 1)],
    ['an upper bound past another type', UINT8, inRange(0, 0, 256)],
    ['the code of another type', { ...UINT8, shape: { ...UINT8.shape, dtype: 3 } }, argmaxIs(0)],
    ['elements of another size', { ...UINT8, shape: { ...UINT8.shape, bytesPerElement: 2 } }, argmaxIs(0)],
    ['more than 256 elements', { ...UINT8, shape: { ...UINT8.shape, dims: [257] } }, argmaxIs(0)],
  ];
  for (const [what, tensor, statement] of refused) {
    it(`refuse ${what} with STUN_INPUT`, () => throwsCode(() => disclosureSignals(tensor, 1n, statement), 'STUN_INPUT'));
  }

  it('are about outputs of 1 to 256 elements', () => {
    for (const [dims, elements] of [
      [[], 1],
      [[1], 1],
      [[16, 16], 256],
    ] as const) {
      assert.equal(disclosedElements({ dims }), elements);
    }
    for (const dims of [[0], [257], [16, 17]]) throwsCode(() => disclosedElements({ dims }), 'STUN_INPUT');
  });

  it('are true of an element within both bounds', () => {
    const output = [-5, 7];
    const truths: readonly (readonly [number, number, number, boolean])[] = [
      [0, -5, -5, true],
      [0, -6, -4, true],
      [0, -4, 0, false],
      [0, -9, -6, false],
      [1, 7, 7, true],
      [2, LEAST, MOST, false],
    ];
    for (const [index, low, high, truth] of truths) {
      assert.equal(isTrueOf(inRange(index, low, high), output), truth, `${index} in ${low}..${high}`);
    }
  });

  it('are true of the first greatest element', () => {
    const truthsOf = (output: readonly number[]): boolean[] => [0, 1, 2, 3].map((index) => isTrueOf(argmaxIs(index), output));
    assert.deepEqual(truthsOf([1, 5, 5]), [false, true, false, false]);
    assert.deepEqual(truthsOf([4, 4, 4]), [true, false, false, false]);
    assert.deepEqual(truthsOf([1, 2, 3]), [false, false, true, false]);
    assert.deepEqual(truthsOf([]), [false, false, false, false]);
  });

  it('say in words what they show, and no bound that shows nothing', () => {
    const words: readonly (readonly [DisclosedTensor, DisclosureStatement, string])[] = [
      [INT32, inRange(1, 5, 5), 'element 1 of the output is 5'],
      [INT32, inRange(1, 5, MOST), 'element 1 of the output is at least 5'],
      [INT32, inRange(1, LEAST, 5), 'element 1 of the output is at most 5'],
      [INT32, inRange(1, 4, 5), 'element 1 of the output is in 4..5'],
      [UINT8, inRange(0, 0, 5), 'element 0 of the output is at most 5'],
      [INT32, argmaxIs(0), 'element 0 of the output is the greatest, the first if several are equal'],
    ];
    for (const [tensor, statement, text] of words) assert.equal(disclosureInWords(tensor, statement), text);
  });

  it('are read from documents with no field more or less', () => {
    const reads = (document: unknown): boolean => disclosureStatementSchema.safeParse(document).success;
    for (const good of [inRange(0, -1, 1), inRange(255, 0, 0), argmaxIs(255)]) {
      assert.deepEqual(disclosureStatementSchema.parse(good), good);
    }
    for (const bad of [
      argmaxIs(256),
      argmaxIs(-1),
      argmaxIs(0.5),
      { ...argmaxIs(0), low: 0 },
      { kind: 'in-range', index: 0, low: 0 },
      { kind: 'min-is', index: 0 },
    ]) {
      assert.ok(!reads(bad), JSON.stringify(bad));
    }
    assert.deepEqual(disclosedTensorSchema.parse(INT32), INT32);
    for (const bad of [{ dtype: 'int32' }, { shape: INT32.shape }, { ...INT32, dtype: 'float32' }, { ...INT32, name: 'y' }]) {
      assert.ok(!disclosedTensorSchema.safeParse(bad).success, JSON.stringify(bad));
    }
  });
});
