/** What is no tensor payload, written or read. */
import assert from 'node:assert/strict';
import { decodeTensors, encodeTensors, type NamedTensor } from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { throwsCode } from '#test/unit/assert-code.ts';

const good: NamedTensor = { name: 'x', dtype: 'uint8', dims: [2], data: Uint8Array.of(7, 8) };
/** Of one tensor: magic 0..7, count 8..11, name 12..14, dtype 15, rank 16, dimension 17..24, length 25..32, data. */
const bytes = encodeTensors([good]);
const DTYPE = 15;
const RANK = 16;
const DIMENSION = 17;
const LENGTH = 25;

const u64 = (value: bigint): Buffer => {
  const word = Buffer.alloc(8);
  word.writeBigUInt64BE(value);
  return word;
};
const spliced = (offset: number, removed: number, ...inserted: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat([bytes.subarray(0, offset), ...inserted, bytes.subarray(offset + removed)]));

describe('tensors that have no payload', () => {
  const cases: readonly (readonly [string, readonly NamedTensor[]])[] = [
    ['two of the same name', [good, { ...good }]],
    ['257 of them', Array.from({ length: 257 }, (_, i) => ({ ...good, name: `${i}` }))],
    ['a name of 65,536 bytes', [{ ...good, name: 'n'.repeat(65_536) }]],
    ['a name that UTF-8 cannot hold', [{ ...good, name: '\uD800' }]],
    ['17 dimensions', [{ ...good, dims: [...Array<number>(16).fill(1), 2] }]],
    ['dimensions below 0 whose product is right', [{ ...good, dims: [-1, -2] }]],
    ['a dimension of one half whose product is right', [{ ...good, dims: [0.5, 4] }]],
    ['a dimension of 2^53', [{ ...good, dims: [2 ** 53, 0], data: new Uint8Array() }]],
    ['a byte of data too few', [{ ...good, data: Uint8Array.of(7) }]],
    ['a byte of data too many', [{ ...good, data: Uint8Array.of(7, 8, 9) }]],
    ['the data of narrower elements', [{ ...good, dtype: 'uint16' }]],
    ['a bool of 2', [{ ...good, dtype: 'bool', data: Uint8Array.of(1, 2) }]],
  ];
  for (const [what, tensors] of cases) {
    it(`refuses ${what} with STUN_TENSOR_LAYOUT`, () => throwsCode(() => encodeTensors(tensors), 'STUN_TENSOR_LAYOUT'));
  }
});

describe('bytes that are no tensor payload', () => {
  const one = spliced(8, 0).slice(12);
  const cases: readonly (readonly [string, ErrorCode, Uint8Array])[] = [
    ['another magic', 'STUN_TENSOR_LAYOUT', spliced(0, 1, Buffer.from('s'))],
    ['another version in the magic', 'STUN_TENSOR_LAYOUT', spliced(7, 1, Buffer.from('2'))],
    ['a count above its tensors', 'STUN_TENSOR_LAYOUT', spliced(11, 1, Buffer.of(2))],
    ['a count below its tensors', 'STUN_TENSOR_LAYOUT', spliced(11, 1, Buffer.of(0))],
    ['two of the same name', 'STUN_TENSOR_LAYOUT', spliced(11, 1, Buffer.of(2), one)],
    ['a name that is not UTF-8', 'STUN_TENSOR_LAYOUT', spliced(14, 1, Buffer.of(0xff))],
    ['strings', 'STUN_TENSOR_STRING', spliced(DTYPE, 1, Buffer.of(8))],
    ['the element type 0', 'STUN_TENSOR_LAYOUT', spliced(DTYPE, 1, Buffer.of(0))],
    ['the element type 14', 'STUN_TENSOR_LAYOUT', spliced(DTYPE, 1, Buffer.of(14))],
    ['17 dimensions', 'STUN_TENSOR_LAYOUT', spliced(RANK, 1, Buffer.of(17), ...Array.from({ length: 16 }, () => u64(1n)))],
    ['a dimension of 2^53', 'STUN_TENSOR_LAYOUT', spliced(RANK, 9, Buffer.of(2), u64(2n ** 53n), u64(0n))],
    ['another dimension', 'STUN_TENSOR_LAYOUT', spliced(DIMENSION, 8, u64(1n))],
    ['another length of the data', 'STUN_TENSOR_LAYOUT', spliced(LENGTH, 8, u64(1n))],
    ['a bool of 7', 'STUN_TENSOR_LAYOUT', spliced(DTYPE, 1, Buffer.of(9))],
    ['a byte after the last tensor', 'STUN_TENSOR_LAYOUT', spliced(bytes.length, 0, Buffer.of(0))],
  ];
  for (const [what, code, changed] of cases) {
    it(`refuses ${what} with ${code}`, () => throwsCode(() => decodeTensors(changed), code));
  }

  it('refuses 257 tensors before it reads one', () => {
    const count = spliced(8, 4, Buffer.from([0, 0, 1, 1])).slice(0, 12);
    assert.throws(() => decodeTensors(count), { code: 'STUN_TENSOR_LAYOUT', message: /more than 256 tensors/ });
  });

  it('refuses every truncation, and says where the bytes end', () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeTensors(bytes.slice(0, length)), {
        code: 'STUN_TENSOR_LAYOUT',
        message: `tensor payload: it is truncated at byte ${length}`,
      });
    }
  });
});
