/** Tensor payloads byte for byte as docs/protocol.md section 6 lays them out, and up to each of their limits. */
import assert from 'node:assert/strict';
import { decodeTensors, DTYPES, encodeTensors, type Dtype, type NamedTensor } from '#protocol/index.ts';

const tensor = (change: Partial<NamedTensor> = {}): NamedTensor => ({
  name: 'x',
  dtype: 'uint8',
  dims: [2],
  data: Uint8Array.of(7, 8),
  ...change,
});

describe('tensor payloads', () => {
  it('are laid out as documented', () => {
    const tensors = [
      { name: 'é', dtype: 'int32', dims: [1, 2], data: Uint8Array.of(1, 0, 0, 0, 255, 255, 255, 255) },
      { name: '', dtype: 'bool', dims: [], data: Uint8Array.of(1) },
    ] as const;
    const first = ['0002', 'c3a9', '06', '02', '0000000000000001', '0000000000000002', '0000000000000008', '01000000ffffffff'];
    const second = ['0000', '', '09', '00', '0000000000000001', '01'];
    const bytes = Buffer.from(`STUNTNS1${'\0'.repeat(3)}\u0002`).toString('hex') + [...first, ...second].join('');
    assert.equal(Buffer.from(encodeTensors(tensors)).toString('hex'), bytes);
    assert.deepEqual(decodeTensors(new Uint8Array(Buffer.from(bytes, 'hex'))), tensors);
  });

  it('name the element types by the codes of ONNX TensorProto, with their sizes', () => {
    const types: Record<Dtype, readonly [number, number]> = {
      float32: [1, 4],
      uint8: [2, 1],
      int8: [3, 1],
      uint16: [4, 2],
      int16: [5, 2],
      int32: [6, 4],
      int64: [7, 8],
      bool: [9, 1],
      float16: [10, 2],
      float64: [11, 8],
      uint32: [12, 4],
      uint64: [13, 8],
    };
    assert.deepEqual(Object.fromEntries(Object.entries(DTYPES).map(([name, { code, bytes }]) => [name, [code, bytes]])), types);
  });

  const atTheLimit: readonly (readonly [string, () => readonly NamedTensor[]])[] = [
    ['no tensor', () => []],
    ['256 tensors', () => Array.from({ length: 256 }, (_, i) => tensor({ name: `${i}` }))],
    ['16 dimensions', () => [tensor({ dims: [...Array<number>(15).fill(1), 2] })]],
    ['a dimension of 2^53 - 1', () => [tensor({ dims: [Number.MAX_SAFE_INTEGER, 0], data: new Uint8Array() })]],
    ['a name of 65,535 bytes', () => [tensor({ name: 'n'.repeat(65_535) })]],
    ['names that differ in a byte order mark', () => [tensor(), tensor({ name: '\uFEFFx' })]],
    ['bools of 0 and 1', () => [tensor({ dtype: 'bool', data: Uint8Array.of(0, 1) })]],
    ['any byte in a type that is not bool', () => [tensor({ data: Uint8Array.of(2, 255) })]],
  ];
  for (const [what, make] of atTheLimit) {
    it(`hold ${what}`, () => assert.deepEqual(decodeTensors(encodeTensors(make())), make()));
  }

  it('give data that does not change with the bytes it was read from', () => {
    const bytes = encodeTensors([tensor()]);
    const [read] = decodeTensors(bytes);
    bytes.fill(0);
    assert.deepEqual(read, tensor());
  });
});
