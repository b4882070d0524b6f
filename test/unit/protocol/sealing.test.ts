/** What docs/protocol.md section 6 says of sealed bytes, read and opened without the code that seals. */
import assert from 'node:assert/strict';
import { createDecipheriv, hkdfSync, type webcrypto } from 'node:crypto';
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from 'hpke';
import {
  counterNonce,
  decodeErrorPayload,
  decodeRequestData,
  decodeResultData,
  encodeErrorPayload,
  encodeRequestData,
  encodeResultData,
  FIELD_ORDER,
  generateSealingKeyPair,
  openRequest,
  openResult,
  paddedLength,
  sealEnvelope,
  sealOpening,
  sealRequest,
  sealResult,
  type RequestBinding,
} from '#protocol/index.ts';
import { PROVIDER } from './fixtures.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
const binding: RequestBinding = { orderId: 5n, provider: PROVIDER, keysetDigest: new Uint8Array(32).fill(3), demandHead: 77n };
const data = Uint8Array.of(1, 2, 3);

const word = (value: bigint): string => value.toString(16).padStart(64, '0');
const ascii = (text: string): string => Buffer.from(text).toString('hex');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The only chunk of an envelope, its head and its associated data. */
function onlyChunk(envelope: Uint8Array, kind: number, headLength: number): Record<'head' | 'chunk' | 'aad', Buffer> {
  const bytes = Buffer.from(envelope);
  assert.equal(bytes.toString('latin1', 0, 8), 'STUNENV1');
  assert.deepEqual([bytes[8], bytes.readUInt16BE(9)], [kind, headLength]);
  const start = 11 + headLength;
  assert.equal(bytes.readUInt32BE(start), bytes.length - start - 4);
  const aad = Buffer.from(`${ascii('STUNENV1')}0${kind}0000000001`, 'hex');
  return { head: bytes.subarray(11, start), chunk: bytes.subarray(start + 4), aad };
}

const padded = (length: number): Buffer => Buffer.concat([Buffer.of(0, 0, 0, 3), data, Buffer.alloc(length - 7)]);

describe('envelopes', () => {
  it('are padded to the next bucket, the length included, and to whole mebibytes above it', () => {
    for (const bucket of [KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 2 * MIB, 3 * MIB]) {
      assert.equal(paddedLength(bucket - 4), bucket);
      assert.equal(paddedLength(bucket - 5), bucket);
    }
    assert.equal(paddedLength(0), KIB);
    for (const [above, next] of [
      [KIB, 4 * KIB],
      [4 * KIB, 16 * KIB],
      [16 * KIB, 64 * KIB],
      [64 * KIB, 256 * KIB],
      [256 * KIB, MIB],
      [MIB, 2 * MIB],
      [2 * MIB, 3 * MIB],
    ] as const) {
      assert.equal(paddedLength(above - 3), next);
    }
  });

  it('hold chunks of a mebibyte, each with its place and whether it is the last', async () => {
    const seen: [length: number, associatedData: string, index: number][] = [];
    const envelope = await sealEnvelope('result', Uint8Array.of(0xaa, 0xbb), new Uint8Array(MIB).fill(7), (chunk, aad, index) => {
      seen.push([chunk.length, hex(aad), index]);
      return Promise.resolve(Uint8Array.of(0xc0 + index));
    });
    assert.deepEqual(seen, [
      [MIB, `${ascii('STUNENV1')}020000000000`, 0],
      [MIB, `${ascii('STUNENV1')}020000000101`, 1],
    ]);
    assert.equal(hex(envelope), `${ascii('STUNENV1')}020002aabb00000001c000000001c1`);
  });

  it('count the nonces of their chunks in twelve bytes', () => {
    assert.equal(hex(counterNonce(0)), '00'.repeat(12));
    assert.equal(hex(counterNonce(0x0102)), `${'00'.repeat(10)}0102`);
  });
});

describe('sealing to a key', () => {
  const place = (use: string): string => ascii(`stun/seal/${use}/v1`) + word(5n) + PROVIDER.slice(2) + '03'.repeat(32);

  it('is HPKE with the order, the enclave and the demand as info, and exports the secret of the result', async () => {
    const pair = await generateSealingKeyPair();
    const sealed = await sealRequest(pair.publicKey, binding, data);
    const { head, chunk, aad } = onlyChunk(sealed.envelope, 1, 1120);
    const info = Buffer.from(place('request') + word(77n), 'hex');
    const context = await suite.SetupRecipient(pair.privateKey, head, { info });
    assert.deepEqual(Buffer.from(await context.Open(chunk, aad)), padded(KIB));
    const secret = await context.Export(Buffer.from('stun/seal/result/v1'), 32);
    assert.deepEqual(sealed.resultSecret, secret);
    assert.deepEqual(await openRequest(pair, binding, sealed.envelope), { data, resultSecret: secret });
  });

  it('leaves the demand out of the info of an opening', async () => {
    const pair = await generateSealingKeyPair();
    const { head, chunk, aad } = onlyChunk(await sealOpening(pair.publicKey, binding, data), 3, 1120);
    const context = await suite.SetupRecipient(pair.privateKey, head, { info: Buffer.from(place('opening'), 'hex') });
    assert.deepEqual(Buffer.from(await context.Open(chunk, aad)), padded(KIB));
  });

  it('is to a private key that cannot be taken out', async () => {
    const { privateKey } = await generateSealingKeyPair();
    assert.equal(privateKey.extractable, false);
    await assert.rejects(suite.SerializePrivateKey(privateKey));
  });
});

describe('sealing a result', () => {
  const secret = new Uint8Array(32).fill(9);

  it('is AES-256-GCM under a key that HKDF makes of the secret, the salt and the demand', async () => {
    const { head, chunk, aad } = onlyChunk(await sealResult(secret, 77n, data), 2, 32);
    const key = hkdfSync('sha256', secret, head, Buffer.from(ascii('stun/seal/result/v1') + word(77n), 'hex'), 32);
    const decipher = createDecipheriv('aes-256-gcm', new Uint8Array(key), new Uint8Array(12)).setAAD(aad);
    decipher.setAuthTag(chunk.subarray(-16));
    assert.deepEqual(Buffer.concat([decipher.update(chunk.subarray(0, -16)), decipher.final()]), padded(KIB));
  });

  it('uses keys that cannot be taken out', async () => {
    const { subtle } = globalThis.crypto;
    const used: webcrypto.CryptoKey[] = [];
    for (const name of ['encrypt', 'decrypt'] as const) {
      const real = subtle[name].bind(subtle);
      const watched: typeof real = (algorithm, key, bytes) => {
        used.push(key);
        return real(algorithm, key, bytes);
      };
      Object.defineProperty(subtle, name, { value: watched, configurable: true });
    }
    try {
      assert.deepEqual(await openResult(secret, 77n, await sealResult(secret, 77n, data)), data);
    } finally {
      Reflect.deleteProperty(subtle, 'encrypt');
      Reflect.deleteProperty(subtle, 'decrypt');
    }
    assert.deepEqual(
      used.map((key) => key.extractable),
      [false, false],
    );
  });
});

describe('what is sealed', () => {
  const last = FIELD_ORDER - 1n;

  it('is two blindings and the payload of a request', () => {
    const request = { inputBlinding: last, outputBlinding: 2n, payload: data };
    const bytes = Uint8Array.from(Buffer.from(`${word(last)}${word(2n)}010203`, 'hex'));
    assert.equal(hex(encodeRequestData(request)), hex(bytes));
    assert.deepEqual(decodeRequestData(bytes), request);
    assert.deepEqual(decodeRequestData(bytes.subarray(0, 64)), { ...request, payload: new Uint8Array() });
  });

  it('is one blinding and the payload of a result', () => {
    const result = { outputBlinding: last, payload: data };
    const bytes = Uint8Array.from(Buffer.from(`${word(last)}010203`, 'hex'));
    assert.equal(hex(encodeResultData(result)), hex(bytes));
    assert.deepEqual(decodeResultData(bytes), result);
    assert.deepEqual(decodeResultData(bytes.subarray(0, 32)), { ...result, payload: new Uint8Array() });
  });

  it('is a code of the registry where a job failed', () => {
    const payload = encodeErrorPayload('STUN_BUDGET');
    assert.equal(hex(payload), ascii('STUNERR1STUN_BUDGET'));
    assert.equal(decodeErrorPayload(payload), 'STUN_BUDGET');
  });

  it('is an internal error under a code that nobody knows, and none without its mark or of more than 128 bytes', () => {
    const unknown = Buffer.from(`STUNERR1${'X'.repeat(120)}`);
    assert.equal(decodeErrorPayload(unknown), 'STUN_INTERNAL');
    assert.equal(decodeErrorPayload(Buffer.concat([unknown, Buffer.of(0)])), undefined);
    for (const other of ['', 'STUNERR', 'STUNTNS1', 'xSTUNERR1STUN_BUDGET']) {
      assert.equal(decodeErrorPayload(Buffer.from(other)), undefined, other);
    }
  });
});
