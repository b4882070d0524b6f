/** Envelopes with one thing wrong, written by hand; the cipher is none, so that only the layout speaks. */
import assert from 'node:assert/strict';
import {
  decodeRequestData,
  decodeResultData,
  encodeRequestData,
  encodeResultData,
  FIELD_ORDER,
  openEnvelope,
  parseEnvelope,
} from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';

const TAG = 16;
const CHUNK = 2 ** 20;
const HEAD = Buffer.of(0xaa, 0xbb);

/** A framed chunk of so many bytes; `announced` is the length it claims. */
function framed(length: number, announced = length): Buffer {
  const chunk = Buffer.alloc(4 + length, 7);
  chunk.writeUInt32BE(announced);
  return chunk;
}

const opening = (...chunks: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('STUNENV1'), Buffer.of(3, 0, HEAD.length), HEAD, ...chunks]);

/** The envelope with one byte changed. */
function changed(at: number): Buffer {
  const bytes = opening(framed(17));
  bytes[at]! ^= 1;
  return bytes;
}

describe('the layout of an envelope', () => {
  it('is taken with the shortest and the longest chunk', () => {
    for (const lengths of [[TAG + 1], [CHUNK + TAG], [CHUNK + TAG, TAG + 1]]) {
      const chunks = lengths.map((length) => framed(length));
      const parts = parseEnvelope('opening', HEAD.length, opening(...chunks));
      assert.deepEqual(parts, { head: HEAD, chunks: chunks.map((chunk) => chunk.subarray(4)) });
    }
  });

  const full = framed(CHUNK + TAG);
  for (const [what, envelope] of [
    ['no chunk', opening()],
    ['half a head', opening().subarray(0, -1)],
    ['nothing', Buffer.alloc(0)],
    ['a chunk of a tag alone', opening(framed(TAG))],
    ['a chunk longer than a mebibyte', opening(framed(CHUNK + TAG + 1))],
    ['an empty chunk behind the last', opening(framed(17), framed(0))],
    ['an empty chunk behind a full one', opening(full, framed(0))],
    ['three bytes of a length', opening(full, Buffer.of(0, 0, 0))],
    ['a chunk that ends early', opening(framed(17, 18))],
    ['a chunk that ends late', opening(framed(18, 17))],
    ['a short chunk before the last', opening(framed(CHUNK + TAG - 1), framed(17))],
    ...Array.from({ length: 8 }, (_, at) => [`another byte ${at} of the mark`, changed(at)] as const),
    ['another kind', changed(8)],
    ['a head of 256 bytes more', changed(9)],
    ['a head of another length', changed(10)],
  ] as const) {
    it(`refuses ${what}`, () => throwsCode(() => parseEnvelope('opening', HEAD.length, envelope), 'STUN_ENVELOPE_LAYOUT'));
  }
});

describe('the padding of an envelope', () => {
  const open = (padded: Uint8Array) =>
    openEnvelope('opening', { head: HEAD, chunks: [padded] }, (chunk) => Promise.resolve(chunk));
  const padded = (length: number, announced: number): Buffer => {
    const bytes = Buffer.alloc(length);
    bytes.writeUInt32BE(announced);
    return bytes;
  };
  const marked = (at: number): Buffer => Buffer.from(padded(1024, 5).with(at, 1));

  it('is taken off', async () => {
    assert.deepEqual(await open(marked(8)), new Uint8Array([0, 0, 0, 0, 1]));
    assert.equal((await open(padded(1024, 1020))).length, 1020);
  });

  for (const [what, bytes] of [
    ['a byte right behind the data', marked(9)],
    ['a byte at the end', marked(1023)],
    ['a longer bucket than its length asks for', padded(4096, 1020)],
    ['a shorter bucket than its length asks for', padded(1024, 1021)],
    ['a length of 2^32 - 1', padded(1024, 2 ** 32 - 1)],
    ['four bytes', padded(4, 0)],
    ['three bytes', Buffer.alloc(3)],
    ['a bucket and a byte', padded(1025, 5)],
  ] as const) {
    it(`refuses ${what}`, () => rejectsCode(open(bytes), 'STUN_ENVELOPE_LAYOUT'));
  }

  it('is not looked at when a chunk does not open', () =>
    rejectsCode(
      openEnvelope('opening', { head: HEAD, chunks: [padded(1024, 5)] }, () => Promise.reject(new Error('no'))),
      'STUN_ENVELOPE_OPEN',
    ));
});

describe('what is sealed', () => {
  const r = Buffer.from(FIELD_ORDER.toString(16), 'hex');
  const zero = Buffer.alloc(32);
  const payload = new Uint8Array();
  for (const [what, code, call] of [
    ['a request of 63 bytes', 'STUN_ENVELOPE_LAYOUT', () => decodeRequestData(new Uint8Array(63))],
    ['a result of 31 bytes', 'STUN_ENVELOPE_LAYOUT', () => decodeResultData(new Uint8Array(31))],
    ['an input blinding of r', 'STUN_RANGE', () => decodeRequestData(Buffer.concat([r, zero]))],
    ['an output blinding of r', 'STUN_RANGE', () => decodeRequestData(Buffer.concat([zero, r]))],
    ["a result's blinding of r", 'STUN_RANGE', () => decodeResultData(r)],
    [
      'to seal an input blinding of r',
      'STUN_RANGE',
      () => encodeRequestData({ inputBlinding: FIELD_ORDER, outputBlinding: 0n, payload }),
    ],
    [
      'to seal an output blinding of r',
      'STUN_RANGE',
      () => encodeRequestData({ inputBlinding: 0n, outputBlinding: FIELD_ORDER, payload }),
    ],
    ["to seal a result's blinding of r", 'STUN_RANGE', () => encodeResultData({ outputBlinding: FIELD_ORDER, payload })],
  ] as const satisfies readonly (readonly [string, ErrorCode, () => unknown])[]) {
    it(`refuses ${what} with ${code}`, () => throwsCode(call, code));
  }
});
