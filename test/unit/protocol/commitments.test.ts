/** Every commitment and identifier is the hash that the table of docs/protocol.md section 2 says. */
import assert from 'node:assert/strict';
import {
  compiledModelId,
  deliveryDigestOf,
  enclaveLeafOf,
  FIELD_ORDER,
  generateEddsaKeyPair,
  hardwareIdHashOf,
  isSimulatedPlatform,
  opaqueModelId,
  opaqueModelIdOfDigests,
  outputBlindingOf,
  payloadCommitment,
  PLATFORM,
  policyIdOf,
  randomField,
  signerIdOf,
  tensorCommitment,
  utf8,
  type TensorShape,
} from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { throwsCode } from '../assert-code.ts';
import { halvesOf, referencePoseidon, sha256Of, type TaggedHash } from './reference-hashes.ts';

const bytes = utf8('some bytes');
const digest = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

describe('commitments and identifiers', () => {
  let hash: TaggedHash;
  before(async () => {
    hash = await referencePoseidon();
  });

  it('of bytes are over the halves of their digest', () => {
    const halves = halvesOf(sha256Of(bytes));
    assert.equal(policyIdOf(bytes), hash(2n, halves));
    assert.equal(payloadCommitment(bytes, 9n), hash(3n, [...halves, 9n]));
    assert.equal(deliveryDigestOf(bytes), hash(12n, halves));
    assert.equal(hardwareIdHashOf(PLATFORM.simulatedSnp, bytes), hash(18n, [130n, ...halves]));
  });

  it('of models bind file and manifest, or key, manifest and ceremony', () => {
    const [model, manifest] = [utf8('model'), utf8('manifest')];
    const opaque = hash(6n, [...halvesOf(sha256Of(model)), ...halvesOf(sha256Of(manifest))]);
    assert.equal(opaqueModelId(model, manifest), opaque);
    assert.equal(opaqueModelIdOfDigests(sha256Of(model), sha256Of(manifest)), opaque);
    const compiled = [digest(1), digest(2), digest(3)] as const;
    assert.equal(compiledModelId(...compiled), hash(7n, compiled.flatMap(halvesOf)));
  });

  it('of enclaves bind key, policy, provider, hardware and expiry', () => {
    const { publicKey } = generateEddsaKeyPair();
    assert.equal(signerIdOf(publicKey), hash(8n, [publicKey.x, publicKey.y]));
    const leaf = { signerId: 1n, policyId: 2n, provider: `0x${'0a'.repeat(20)}`, hardwareIdHash: 3n, expiresAtUnix: 2 ** 40 - 1 };
    assert.equal(enclaveLeafOf(leaf), hash(14n, [1n, 2n, BigInt(leaf.provider), 3n, 2n ** 40n - 1n]));
    throwsCode(() => enclaveLeafOf({ ...leaf, expiresAtUnix: 2 ** 40 }), 'STUN_RANGE');
  });

  it('blind each output of a seed with another field element', () => {
    assert.equal(outputBlindingOf(4n, 5n), hash(17n, [4n, 5n]));
    const drawn = Array.from({ length: 8 }, randomField);
    assert.equal(new Set(drawn).size, 8);
    assert.ok(drawn.every((value) => value >= 0n && value < FIELD_ORDER));
    assert.ok(drawn.some((value) => value >= FIELD_ORDER / 8n));
  });

  it('tell simulated hardware by codes of 128 and more', () => {
    const codes = [1, 2, 3, 127, 128, 129, 130, 131, 255];
    assert.deepEqual(codes.filter(isSimulatedPlatform), [128, 129, 130, 131, 255]);
  });

  const outOfRange: readonly (readonly [string, ErrorCode, () => unknown])[] = [
    ['a blinding of r', 'STUN_RANGE', () => payloadCommitment(bytes, FIELD_ORDER)],
    ['a digest of 31 bytes', 'STUN_INPUT', () => compiledModelId(digest(1), digest(2), digest(3).subarray(1))],
    ['a seed of r', 'STUN_RANGE', () => outputBlindingOf(FIELD_ORDER, 1n)],
    ['a demand head below 0', 'STUN_RANGE', () => outputBlindingOf(1n, -1n)],
    ['a platform of 256', 'STUN_RANGE', () => hardwareIdHashOf(256, bytes)],
  ];
  for (const [what, code, call] of outOfRange) it(`refuse ${what} with ${code}`, () => throwsCode(call, code));

  describe('of a tensor', () => {
    /** As docs/protocol.md says it, from the bytes of the elements. */
    function expected(shape: TensorShape, data: Uint8Array, blinding: bigint): bigint {
      const words = Array.from({ length: Math.ceil(data.length / 31) }, (_, i) => {
        const word = Buffer.alloc(31);
        word.set(data.subarray(31 * i, 31 * (i + 1)));
        return BigInt(`0x${word.toString('hex')}`);
      });
      let state = hash(4n, [shape.dtype, shape.scale, shape.dims.length, ...shape.dims].map(BigInt).concat(blinding));
      for (let step = 0; 14 * step < words.length; step++) {
        state = hash(5n, [state, ...Array.from({ length: 14 }, (_, i) => words[14 * step + i] ?? 0n)]);
      }
      return state;
    }

    const sizes: readonly (readonly [string, readonly number[], number])[] = [
      ['one element', [1], 4],
      ['elements that end inside a word', [3, 2], 2],
      ['elements across two words', [5], 8],
      ['exactly one word', [31], 1],
      ['14 words, one full step', [2, 7, 31], 1],
      ['one byte more than a full step', [435], 1],
      ['two full steps', [868], 1],
      ['8 dimensions', [1, 1, 1, 1, 1, 1, 1, 2], 1],
    ];
    for (const [what, dims, bytesPerElement] of sizes) {
      it(`packs ${what}`, () => {
        const shape = { dtype: 2, scale: 7, dims, bytesPerElement };
        const size = dims.reduce((product, dim) => product * dim);
        const data = Uint8Array.from({ length: size * bytesPerElement }, (_, i) => (i * 151 + 255) & 255);
        const elements = Array.from({ length: size }, (_, i) =>
          BigInt(`0x${Buffer.from(data.subarray(i * bytesPerElement, (i + 1) * bytesPerElement)).toString('hex')}`),
        );
        assert.equal(tensorCommitment(shape, elements, 77n), expected(shape, data, 77n));
      });
    }

    const shape = { dtype: 4, scale: 0, dims: [2], bytesPerElement: 2 };
    const refused: readonly (readonly [string, ErrorCode, TensorShape, readonly bigint[], bigint])[] = [
      ['an element too few', 'STUN_INPUT', shape, [1n], 1n],
      ['an element too many', 'STUN_INPUT', shape, [1n, 2n, 3n], 1n],
      ['an element of 256^bytesPerElement', 'STUN_RANGE', shape, [1n, 65_536n], 1n],
      ['an element below 0', 'STUN_RANGE', shape, [1n, -1n], 1n],
      ['a blinding of r', 'STUN_RANGE', shape, [1n, 2n], FIELD_ORDER],
      ['9 dimensions', 'STUN_RANGE', { ...shape, dims: [1, 1, 1, 1, 1, 1, 1, 1, 2] }, [1n, 2n], 1n],
    ];
    for (const [what, code, given, elements, blinding] of refused) {
      it(`refuses ${what} with ${code}`, () => throwsCode(() => tensorCommitment(given, elements, blinding), code));
    }
  });
});
