/** Byte strings and numbers of fixed length, beside Node's Buffer. */
import assert from 'node:assert/strict';
import {
  addressToField,
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  equalBytes,
  FIELD_ORDER,
  fieldFromHex,
  fieldToAddress,
  fieldToHex,
  fromHex,
  halves,
  joinParts,
  toHex,
  uintBytes,
  utf8,
} from '#protocol/index.ts';

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const everyHex = Buffer.from(everyByte).toString('hex');

describe('byte strings', () => {
  it('are written in lower-case hex and read in either case', () => {
    assert.equal(toHex(everyByte), `0x${everyHex}`);
    assert.equal(toHex(new Uint8Array()), '0x');
    assert.deepEqual(fromHex(`0x${everyHex}`), everyByte);
    assert.deepEqual(fromHex(`0x${everyHex.toUpperCase()}`), everyByte);
    assert.deepEqual(fromHex(`0x${everyHex}`, 256), everyByte);
    assert.deepEqual(fromHex('0x', 0), new Uint8Array());
  });

  it('are joined in order', () => {
    assert.deepEqual(concatBytes(Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)), Uint8Array.of(1, 2, 3));
    assert.deepEqual(concatBytes(), new Uint8Array());
    assert.deepEqual(utf8('å'), Uint8Array.of(0xc3, 0xa5));
  });

  it('are equal when no byte and no length differs', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    assert.equal(equalBytes(bytes, Uint8Array.of(1, 2, 3)), true);
    assert.equal(equalBytes(new Uint8Array(), new Uint8Array()), true);
    for (const other of [[0, 2, 3], [1, 0, 3], [1, 2, 0], [1, 2], [1, 2, 3, 0], []]) {
      assert.equal(equalBytes(bytes, Uint8Array.from(other)), false, String(other));
      assert.equal(equalBytes(Uint8Array.from(other), bytes), false, String(other));
    }
  });

  it('are read from a stream up to a limit, and no further', async () => {
    let read = 0;
    const parts = function* (): Generator<Uint8Array> {
      for (const length of [2, 0, 3, 1]) {
        read += 1;
        yield new Uint8Array(length).fill(length);
      }
    };
    assert.deepEqual(await joinParts(parts(), 6), Uint8Array.of(2, 2, 3, 3, 3, 1));
    assert.equal(read, 4);
    read = 0;
    assert.equal(await joinParts(parts(), 4), undefined);
    assert.equal(read, 3);
    assert.equal(await joinParts(parts(), 5), undefined);
    assert.deepEqual(await joinParts([], 0), new Uint8Array());
  });
});

describe('integers of fixed length', () => {
  it('are big-endian, from 0 to the last that fits', () => {
    assert.deepEqual(bigIntToBytes(0x0102n, 3), Uint8Array.of(0, 1, 2));
    assert.deepEqual(bigIntToBytes(0n, 2), Uint8Array.of(0, 0));
    assert.deepEqual(bigIntToBytes(2n ** 256n - 1n, 32), new Uint8Array(32).fill(255));
    assert.deepEqual(uintBytes(0xfffe, 2), Uint8Array.of(255, 254));
    assert.deepEqual(uintBytes(0xffff_ffff, 4), new Uint8Array(4).fill(255));
    assert.equal(bytesToBigInt(Uint8Array.of(1, 0, 255)), 0x1_00ffn);
    assert.equal(bytesToBigInt(new Uint8Array()), 0n);
  });

  it('are field elements up to r - 1, in 64 digits', () => {
    const last = `0x${(FIELD_ORDER - 1n).toString(16).padStart(64, '0')}` as const;
    assert.equal(fieldToHex(FIELD_ORDER - 1n), last);
    assert.equal(fieldFromHex(last), FIELD_ORDER - 1n);
    assert.equal(fieldToHex(0n), `0x${'0'.repeat(64)}`);
  });

  it('are the halves of a digest, the leading one first', () => {
    const digest = everyByte.subarray(100, 132);
    const hex = Buffer.from(digest).toString('hex');
    assert.deepEqual(halves(digest), [BigInt(`0x${hex.slice(0, 32)}`), BigInt(`0x${hex.slice(32)}`)]);
  });

  it('are addresses of 160 bits, in either case', () => {
    const address = `0x${'0'.repeat(36)}beef` as const;
    assert.equal(addressToField(address), 0xbeefn);
    assert.equal(addressToField(address.replace('beef', 'BeEF')), 0xbeefn);
    assert.equal(fieldToAddress(0xbeefn), address);
    assert.equal(fieldToAddress(2n ** 160n - 1n), `0x${'f'.repeat(40)}`);
  });
});
