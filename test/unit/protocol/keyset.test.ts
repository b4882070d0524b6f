/** The keyset's layout at the offsets of docs/protocol.md section 4, and what is derived from it as ethers and Node do. */
import assert from 'node:assert/strict';
import { computeAddress } from 'ethers';
import {
  encodeKeyset,
  gpuEvidenceDigestOf,
  gpuNonceOf,
  keysetDigestOf,
  parseKeyset,
  reportDataOf,
  secpAddressOf,
  toHex,
  type Keyset,
} from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { throwsCode } from '../assert-code.ts';
import { makeEnclave, type TestEnclave } from './fixtures.ts';
import { sha256Of } from './reference-hashes.ts';

const digest = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

describe('keysets', () => {
  let enclave: TestEnclave;
  let bytes: Buffer;
  before(async () => {
    enclave = await makeEnclave(1n);
    bytes = Buffer.from(enclave.keysetBytes);
  });

  it('have every field at its offset', () => {
    const { keyset, receiptKey, sealing, secpSecret, leaf } = enclave;
    const hex = (from: number, to: number): string => `0x${bytes.toString('hex', from, to)}`;
    assert.equal(bytes.length, 1442);
    assert.equal(bytes.toString('ascii', 0, 8), 'STUNKS01');
    assert.equal(bytes.readBigUInt64BE(8), 31_337n);
    assert.equal(hex(16, 36), keyset.registry);
    assert.equal(hex(36, 56), leaf.provider);
    assert.equal(bytes.readUInt16BE(56), 0x647a);
    assert.equal(hex(58, 1274), toHex(sealing.publicKey));
    assert.equal(BigInt(hex(1274, 1306)), receiptKey.publicKey.x);
    assert.equal(BigInt(hex(1306, 1338)), receiptKey.publicKey.y);
    assert.equal(computeAddress(`0x04${hex(1338, 1402).slice(2)}`), computeAddress(toHex(secpSecret)));
    assert.equal(hex(1402, 1434), toHex(keyset.runtimeDigest));
    assert.equal(Number(bytes.readBigUInt64BE(1434)), leaf.expiresAtUnix);
  });

  it('read as they were written, with an expiry up to 2^40 - 1', () => {
    const keyset: Keyset = { ...enclave.keyset, expiresAtUnix: 2 ** 40 - 1, chainId: 2n ** 64n - 1n };
    assert.deepEqual(parseKeyset(encodeKeyset(keyset)), keyset);
  });

  const changes: readonly (readonly [string, ErrorCode, (keyset: Keyset) => Partial<Keyset>])[] = [
    ['an expiry of 2^40', 'STUN_KEYSET_LAYOUT', () => ({ expiresAtUnix: 2 ** 40 })],
    ['a chain id of 2^64', 'STUN_RANGE', () => ({ chainId: 2n ** 64n })],
    ['a sealing key of a byte less', 'STUN_KEYSET_LAYOUT', ({ hpkePublicKey: key }) => ({ hpkePublicKey: key.slice(1) })],
    ['a runtime digest of a byte more', 'STUN_KEYSET_LAYOUT', () => ({ runtimeDigest: new Uint8Array(33) })],
    ['a provider of 19 bytes', 'STUN_INPUT', () => ({ provider: `0x${'01'.repeat(19)}` })],
    ['a registry of 21 bytes', 'STUN_INPUT', () => ({ registry: `0x${'01'.repeat(21)}` })],
    ['the identity as receipt key', 'STUN_KEY_SMALL_ORDER', () => ({ receiptKey: { x: 0n, y: 1n } })],
    ['a secp256k1 key off its curve', 'STUN_KEY_NOT_ON_CURVE', () => ({ secpPublicKey: new Uint8Array(64).fill(1) })],
  ];
  for (const [what, code, change] of changes) {
    it(`are not made with ${what}: ${code}`, () =>
      throwsCode(() => encodeKeyset({ ...enclave.keyset, ...change(enclave.keyset) }), code));
  }

  it('are named by their digest, at their whole length alone', () => {
    assert.deepEqual(keysetDigestOf(enclave.keysetBytes), sha256Of(enclave.keysetBytes));
    for (const wrong of [enclave.keysetBytes.slice(1), new Uint8Array(1443)]) {
      throwsCode(() => keysetDigestOf(wrong), 'STUN_KEYSET_LAYOUT');
    }
  });

  it('sign with the address of their secp256k1 key', () => {
    assert.equal(secpAddressOf(enclave.keyset), computeAddress(toHex(enclave.secpSecret)).toLowerCase());
  });
});

describe('what a report carries', () => {
  it('binds keyset, nonce and GPUs in its first half, and nothing in its second', () => {
    const first = sha256Of('stun/report-data/v1', digest(1), digest(2), digest(3));
    assert.deepEqual(reportDataOf(digest(1), digest(2), digest(3)), new Uint8Array([...first, ...digest(0)]));
  });

  it('has parts of 32 bytes', () => {
    const parts = [digest(1), digest(2), digest(3)] as const;
    for (const place of [0, 1, 2]) {
      for (const wrong of [new Uint8Array(31), new Uint8Array(33)]) {
        const [keyset, nonce, gpus] = parts.map((part, i) => (i === place ? wrong : part));
        throwsCode(() => reportDataOf(keyset!, nonce!, gpus!), 'STUN_INPUT');
      }
    }
  });

  it('asks GPUs for a nonce of their own', () => {
    assert.deepEqual(gpuNonceOf(digest(1), digest(2)), sha256Of('stun/gpu-nonce/v1', digest(1), digest(2)));
  });

  it('binds the reports of GPUs by number, length and order', () => {
    const [a, b] = [Uint8Array.of(1), new Uint8Array(258).fill(2)];
    assert.deepEqual(gpuEvidenceDigestOf([]), digest(0));
    const parts = [Uint8Array.of(2), Uint8Array.of(0, 0, 0, 1), a, Uint8Array.of(0, 0, 1, 2), b];
    assert.deepEqual(gpuEvidenceDigestOf([a, b]), sha256Of('stun/gpu-evidence/v1', ...parts));
    const most = Array.from({ length: 255 }, () => new Uint8Array());
    assert.deepEqual(gpuEvidenceDigestOf(most), sha256Of('stun/gpu-evidence/v1', Uint8Array.of(255), new Uint8Array(4 * 255)));
    throwsCode(() => gpuEvidenceDigestOf([...most, a]), 'STUN_RANGE');
  });
});
