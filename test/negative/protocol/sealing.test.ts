import assert from 'node:assert/strict';
import {
  concatBytes,
  generateSealingKeyPair,
  openOpening,
  openRequest,
  openResult,
  sealOpening,
  sealRequest,
  sealResult,
  uintBytes,
  type RequestBinding,
  type SealedRequest,
  type SealingKeyPair,
} from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { PROVIDER } from '#test/unit/protocol/fixtures.ts';

const data = crypto.getRandomValues(new Uint8Array(3000));
const binding: RequestBinding = { orderId: 5n, provider: PROVIDER, keysetDigest: new Uint8Array(32).fill(3), demandHead: 77n };

describe('sealed requests', () => {
  let pair: SealingKeyPair;
  let sealed: SealedRequest;
  before(async () => {
    pair = await generateSealingKeyPair();
    sealed = await sealRequest(pair.publicKey, binding, data);
  });
  const changed = (offset: number): Uint8Array => {
    const copy = sealed.envelope.slice();
    copy.set([copy.at(offset)! ^ 1], offset < 0 ? copy.length + offset : offset);
    return copy;
  };

  it('opens for the key, order, enclave and demand it is bound to', async () => {
    assert.deepEqual((await openRequest(pair, binding, sealed.envelope)).data, data);
  });
  it('hides the length within a bucket', async () => {
    const other = await sealRequest(pair.publicKey, binding, new Uint8Array(1100));
    assert.equal(other.envelope.length, sealed.envelope.length);
  });
  for (const [what, change] of [
    ['order', { orderId: 6n }],
    ['provider', { provider: PROVIDER.replace('a1', 'a2') }],
    ['keyset', { keysetDigest: new Uint8Array(32) }],
    ['demand', { demandHead: 78n }],
  ] as const) {
    it(`refuses another ${what}`, () =>
      rejectsCode(openRequest(pair, { ...binding, ...change }, sealed.envelope), 'STUN_ENVELOPE_OPEN'));
  }
  it('refuses another key', async () =>
    rejectsCode(openRequest(await generateSealingKeyPair(), binding, sealed.envelope), 'STUN_ENVELOPE_OPEN'));
  it('refuses a changed ciphertext', () => rejectsCode(openRequest(pair, binding, changed(-5)), 'STUN_ENVELOPE_OPEN'));
  it('refuses a changed encapsulation', () => rejectsCode(openRequest(pair, binding, changed(40)), 'STUN_ENVELOPE_OPEN'));
  it('refuses another magic', () => rejectsCode(openRequest(pair, binding, changed(0)), 'STUN_ENVELOPE_LAYOUT'));
  it('refuses an envelope of another kind', async () =>
    rejectsCode(openRequest(pair, binding, await sealOpening(pair.publicKey, binding, data)), 'STUN_ENVELOPE_LAYOUT'));
  it('refuses every truncation of the framing and of the last chunk', async () => {
    const lengths = [0, 5, 10, 11, 1130, 1131, 1134, 1135, sealed.envelope.length - 1];
    for (const length of lengths) {
      await rejectsCode(openRequest(pair, binding, sealed.envelope.subarray(0, length)), 'STUN_ENVELOPE_LAYOUT');
    }
  });
  it('refuses bytes after the final chunk', () =>
    rejectsCode(openRequest(pair, binding, concatBytes(sealed.envelope, Uint8Array.of(0))), 'STUN_ENVELOPE_LAYOUT'));
});

describe('keys that nothing can be sealed to or opened with', () => {
  it('are refused', async () => {
    const { publicKey } = await generateSealingKeyPair();
    // The last 32 bytes are the X25519 key, and no secret comes of its zero.
    const zero = publicKey.slice().fill(0, 1184);
    for (const key of [new Uint8Array(), publicKey.subarray(1), new Uint8Array(1216).fill(255), zero]) {
      await rejectsCode(sealRequest(key, binding, new Uint8Array(1)), 'STUN_KEYSET_LAYOUT');
      await rejectsCode(sealOpening(key, binding, new Uint8Array(1)), 'STUN_KEYSET_LAYOUT');
    }
  });

  it('are refused in the head of an envelope', async () => {
    const pair = await generateSealingKeyPair();
    const { envelope } = await sealRequest(pair.publicKey, binding, new Uint8Array(1));
    const strange = envelope.slice().fill(0, 11 + 1088, 11 + 1120);
    // The code alone would not tell it from a chunk that does not open.
    await assert.rejects(openRequest(pair, binding, strange), { code: 'STUN_ENVELOPE_OPEN', message: /not sealed to this key/ });
  });
});

describe('sealed envelopes of several chunks', () => {
  it('refuses reordered, dropped and repeated chunks', async () => {
    const pair = await generateSealingKeyPair();
    const { envelope } = await sealRequest(pair.publicKey, binding, new Uint8Array(5 << 19));
    const start = 11 + 1120;
    const size = 4 + (1 << 20) + 16;
    const chunk = (i: number): Uint8Array => envelope.subarray(start + i * size, start + (i + 1) * size);
    assert.equal(envelope.length, start + 3 * size);
    const head = envelope.subarray(0, start);
    for (const order of [
      [1, 0, 2],
      [0, 2],
      [0, 1],
      [0, 1, 1],
      [0, 1, 2, 2],
    ]) {
      await rejectsCode(openRequest(pair, binding, concatBytes(head, ...order.map(chunk))), 'STUN_ENVELOPE_OPEN');
    }
    assert.equal((await openRequest(pair, binding, envelope)).data.length, 5 << 19);
  });
  it('refuses a short chunk that is not the last, so that a body holds no more chunks than mebibytes', async () => {
    const pair = await generateSealingKeyPair();
    const { envelope } = await sealRequest(pair.publicKey, binding, data);
    const tiny = concatBytes(uintBytes(17, 4), new Uint8Array(17));
    const start = 11 + 1120;
    const many = concatBytes(envelope.subarray(0, start), tiny, envelope.subarray(start));
    await rejectsCode(openRequest(pair, binding, many), 'STUN_ENVELOPE_LAYOUT');
  });
});

describe('sealed results and openings', () => {
  const secret = new Uint8Array(32).fill(9);
  it('opens with the secret of the request and the demand', async () => {
    assert.deepEqual(await openResult(secret, 7n, await sealResult(secret, 7n, data)), data);
  });
  it('gives different bytes each time, so a job run twice reuses no nonce', async () => {
    assert.notDeepEqual(await sealResult(secret, 7n, data), await sealResult(secret, 7n, data));
  });
  it('refuses another demand', async () =>
    rejectsCode(openResult(secret, 8n, await sealResult(secret, 7n, data)), 'STUN_ENVELOPE_OPEN'));
  it('refuses another secret', async () =>
    rejectsCode(openResult(new Uint8Array(32), 7n, await sealResult(secret, 7n, data)), 'STUN_ENVELOPE_OPEN'));
  it('opens an order opening for its order only', async () => {
    const pair = await generateSealingKeyPair();
    const envelope = await sealOpening(pair.publicKey, binding, data);
    assert.deepEqual(await openOpening(pair, binding, envelope), data);
    await rejectsCode(openOpening(pair, { ...binding, orderId: 1n }, envelope), 'STUN_ENVELOPE_OPEN');
  });
});
