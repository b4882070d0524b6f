import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  bigIntToBytes,
  bytesToBigInt,
  canonicalJson,
  decodeTensors,
  DTYPES,
  encodeTensors,
  ENCLAVE_TREE,
  enclaveTree,
  FIELD_ORDER,
  fromHex,
  packPayee,
  RECEIPTS_TREE,
  receiptsTree,
  rootFromPath,
  toHex,
  unpackPayee,
  type Dtype,
  type NamedTensor,
} from '#protocol/index.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { throwsCode } from '#test/unit/assert-code.ts';

const tensor: fc.Arbitrary<NamedTensor> = fc
  .record({
    name: fc.string({ unit: 'grapheme', maxLength: 20 }),
    dtype: fc.constantFrom(...(Object.keys(DTYPES) as Dtype[])),
    dims: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
  })
  .map(({ name, dtype, dims }) => ({
    name,
    dtype,
    dims,
    data: new Uint8Array(dims.reduce((a, b) => a * b, 1) * DTYPES[dtype].bytes).fill(1),
  }));

describe('encodings', () => {
  it('hex and integers survive a round trip', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => assert.deepEqual(fromHex(toHex(bytes)), bytes)));
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (n) => assert.equal(bytesToBigInt(bigIntToBytes(n, 32)), n)),
    );
  });
  it('payee survives a round trip and stays below 2^232', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(), fc.nat(), (provider, validAtUnix, laneIndex) => {
        const payee = { provider: toHex(provider), validAtUnix, laneIndex };
        const packed = packPayee(payee);
        assert.ok(packed < 2n ** 232n);
        assert.deepEqual(unpackPayee(packed), payee);
      }),
    );
    throwsCode(() => unpackPayee(2n ** 232n), 'STUN_RANGE');
  });
  it('tensor payloads survive a round trip', () => {
    fc.assert(
      fc.property(fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 4 }), (tensors) =>
        assert.deepEqual(decodeTensors(encodeTensors(tensors)), tensors),
      ),
    );
  });
  it('a decoded payload encodes to the same bytes, and anything else is a coded error', () => {
    const base = encodeTensors([
      { name: 'a', dtype: 'float32', dims: [2, 1], data: new Uint8Array(8) },
      { name: 'b', dtype: 'int8', dims: [3], data: new Uint8Array(3) },
    ]);
    let accepted = 0;
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(base.length), (at, flip, cut) => {
        const bytes = base.slice(0, cut === base.length ? cut : Math.max(cut, at + 1));
        if (at < bytes.length) bytes[at]! ^= flip;
        try {
          assert.deepEqual(encodeTensors(decodeTensors(bytes)), bytes);
          accepted++;
        } catch (error) {
          assert.ok(error instanceof StunError && error.code.startsWith('STUN_TENSOR'), String(error));
        }
      }),
      { numRuns: 2000 },
    );
    assert.ok(accepted > 0, 'flips inside data and names must still decode');
  });
  it('canonical JSON does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.boolean())), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        assert.equal(canonicalJson(reversed), canonicalJson(object));
        assert.deepEqual(JSON.parse(canonicalJson(object)), JSON.parse(JSON.stringify(object)));
      }),
    );
    throwsCode(() => canonicalJson({ a: 0.5 }), 'STUN_INPUT');
  });
  it('every leaf of a tree leads to its root, and no other leaf does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 1n, max: FIELD_ORDER - 1n }), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        (leaves, at) => {
          const index = at % leaves.length;
          for (const [shape, tree] of [
            [RECEIPTS_TREE, receiptsTree(leaves)],
            [ENCLAVE_TREE, enclaveTree(leaves)],
          ] as const) {
            assert.equal(rootFromPath(shape, leaves[index]!, tree.path(index)), tree.root);
            assert.notEqual(rootFromPath(shape, leaves[index]! - 1n, tree.path(index)), tree.root);
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
