/** The two crypto providers beside each other: what OpenSSL answers, the one for browsers answers too, on right and on wrong input. */
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { p256, p384 } from '@noble/curves/nist.js';
import { platformProvider as noble } from '#attestation/crypto/noble-provider.ts';
import { platformProvider as node } from '#attestation/crypto/node-provider.ts';
import { cryptoProvider } from '#attestation/crypto/provider.ts';
import { createSimulatedSnpPki } from '#attestation/simulated/snp-pki.ts';
import { bigIntToBytes, bytesToBigInt, concatBytes, utf8 } from '#protocol/bytes.ts';

type Verify = 'verifyP256' | 'verifyP384' | 'verifyRsaPssSha384';

/** Both answers, which must be the same one. */
function verdict(what: Verify, message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  const answers = [node, noble].map((provider) => provider[what](message, signature, publicKey));
  assert.equal(answers[0], answers[1], what);
  return answers[0] === true;
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

const message = utf8('a message of some length');

describe('crypto providers', function () {
  this.timeout(20_000);
  it('are bound by the platform: node:crypto here', () => {
    assert.equal(cryptoProvider, node);
  });

  it('hash alike, over parts and over blocks of every length', () => {
    for (let length = 0; length <= 260; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);
      const cut = length >> 1;
      const whole = node.sha256(bytes);
      assert.deepEqual(noble.sha256(bytes), whole);
      assert.deepEqual(noble.sha256(bytes.subarray(0, cut), bytes.subarray(cut)), whole);
      assert.deepEqual(noble.sha384(bytes), node.sha384(bytes));
    }
    assert.deepEqual(noble.sha256(), node.sha256());
  });

  const curves = [
    { what: 'verifyP256', namedCurve: 'P-256', hash: 'sha256', curve: p256, size: 32 },
    { what: 'verifyP384', namedCurve: 'P-384', hash: 'sha384', curve: p384, size: 48 },
  ] as const;
  for (const { what, namedCurve, hash, curve, size } of curves) {
    describe(what, () => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
      const point = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })).slice(-1 - 2 * size);
      const signature = new Uint8Array(sign(hash, message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
      const { n } = curve.Point.CURVE();
      const p = curve.Point.Fp.ORDER;
      const [r, s] = [signature.slice(0, size), signature.slice(size)];
      const bytes = (value: bigint): Uint8Array => bigIntToBytes(value, size);

      it('accepts both values of s and the empty message', () => {
        assert.equal(verdict(what, message, signature, point), true);
        assert.equal(verdict(what, message, concatBytes(r, bytes(n - bytesToBigInt(s))), point), true);
        const empty = new Uint8Array(sign(hash, new Uint8Array(0), { key: privateKey, dsaEncoding: 'ieee-p1363' }));
        assert.equal(verdict(what, new Uint8Array(0), empty, point), true);
      });

      it('accepts r and s that begin with a zero byte', () => {
        for (const half of [0, size]) {
          for (let counter = 0; ; counter++) {
            const text = utf8(`message ${counter}`);
            const signed = new Uint8Array(sign(hash, text, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
            if (signed[half] !== 0) continue;
            assert.equal(verdict(what, text, signed, point), true);
            break;
          }
        }
      });

      it('refuses a changed bit anywhere', () => {
        for (let bit = 0; bit < 8 * message.length; bit += 37)
          assert.equal(verdict(what, flip(message, bit), signature, point), false);
        for (let bit = 0; bit < 16 * size; bit += 61) assert.equal(verdict(what, message, flip(signature, bit), point), false);
        for (let bit = 0; bit < 8 * point.length; bit += 61)
          assert.equal(verdict(what, message, signature, flip(point, bit)), false);
      });

      it('refuses r and s outside 1..n-1', () => {
        const ends = [0n, n, n + 1n, 2n ** BigInt(8 * size) - 1n];
        for (const end of ends) {
          assert.equal(verdict(what, message, concatBytes(bytes(end), s), point), false);
          assert.equal(verdict(what, message, concatBytes(r, bytes(end)), point), false);
        }
      });

      it('refuses keys that are no point in their one form', () => {
        const x = bytesToBigInt(point.slice(1, 1 + size));
        const keys = {
          infinity: Uint8Array.of(0),
          zero: concatBytes(Uint8Array.of(4), new Uint8Array(2 * size)),
          compressed: curve.Point.fromBytes(point).toBytes(true),
          hybrid: concatBytes(Uint8Array.of(6), point.subarray(1)),
          'coordinates of p': concatBytes(Uint8Array.of(4), bytes(p), bytes(p)),
          'the other y': concatBytes(Uint8Array.of(4), bytes(x), bytes(x)),
          short: point.subarray(0, -1),
          empty: new Uint8Array(0),
        };
        for (const [name, key] of Object.entries(keys)) assert.equal(verdict(what, message, signature, key), false, name);
      });

      it('refuses signatures of another length', () => {
        for (const wrong of [signature.subarray(1), concatBytes(signature, Uint8Array.of(0)), new Uint8Array(0)])
          assert.equal(verdict(what, message, wrong, point), false);
      });
    });
  }

  describe('verifyRsaPssSha384', () => {
    const what = 'verifyRsaPssSha384';
    const authority = createSimulatedSnpPki().arkKey;
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 };
    const spkiOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ type: 'spki', format: 'der' }));
    const signature = authority.sign(message);

    it('accepts keys of 4,096 bits and of lengths beside whole bytes', () => {
      assert.equal(verdict(what, message, signature, authority.spki), true);
      for (const modulusLength of [1025, 1030, 2047]) {
        const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
        const signed = new Uint8Array(sign('sha384', message, { key: privateKey, ...pss }));
        assert.equal(verdict(what, message, signed, spkiOf(publicKey)), true, `${modulusLength}`);
        assert.equal(verdict(what, flip(message, 3), signed, spkiOf(publicKey)), false, `${modulusLength}`);
      }
    });

    it('refuses a changed bit in message, signature and modulus', () => {
      assert.equal(verdict(what, flip(message, 5), signature, authority.spki), false);
      for (let bit = 0; bit < 8 * signature.length; bit += 331)
        assert.equal(verdict(what, message, flip(signature, bit), authority.spki), false);
      for (const bit of [8 * 40, 8 * 300 + 1, 8 * 540 + 7])
        assert.equal(verdict(what, message, signature, flip(authority.spki, bit)), false);
    });

    it('refuses signatures of another length or value: shorter, longer, zero, one, the modulus and above', () => {
      const modulus = bytesToBigInt(authority.spki.slice(-517, -5));
      const values = [0n, 1n, modulus - 1n, modulus, bytesToBigInt(signature) + modulus].filter((one) => one < 2n ** 4096n);
      for (const value of values) assert.equal(verdict(what, message, bigIntToBytes(value, 512), authority.spki), false);
      for (const wrong of [signature.subarray(1), concatBytes(Uint8Array.of(0), signature), new Uint8Array(0)])
        assert.equal(verdict(what, message, wrong, authority.spki), false);
    });

    it('refuses another salt length, hash and padding', () => {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const signed = (hash: string, options: object): Uint8Array =>
        new Uint8Array(sign(hash, message, { key: privateKey, ...options }));
      assert.equal(verdict(what, message, signed('sha384', pss), spkiOf(publicKey)), true);
      for (const saltLength of [0, 32, 47, 49, 64])
        assert.equal(verdict(what, message, signed('sha384', { ...pss, saltLength }), spkiOf(publicKey)), false, `${saltLength}`);
      assert.equal(verdict(what, message, signed('sha256', pss), spkiOf(publicKey)), false);
      assert.equal(verdict(what, message, signed('sha384', { padding: constants.RSA_PKCS1_PADDING }), spkiOf(publicKey)), false);
    });

    it('refuses what is no RSA key', () => {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const longer = concatBytes(authority.spki, Uint8Array.of(0));
      for (const key of [spkiOf(publicKey), authority.spki.subarray(0, -1), longer, new Uint8Array(0)])
        assert.equal(noble.verifyRsaPssSha384(message, signature, key), false);
      for (const key of [spkiOf(publicKey), authority.spki.subarray(0, -1), new Uint8Array(0)])
        assert.equal(verdict(what, message, signature, key), false);
    });
  });
});
