/** Public models: a manifest with the verification key that it names. */
import assert from 'node:assert/strict';
import { publicModelFromWire, publicModelToWire, toHex } from '#protocol/index.ts';
import { throwsCode } from '../assert-code.ts';
import { MANIFEST, NO_CEREMONY, SOME_CEREMONY } from './compiled-models.ts';
import { halvesOf, referencePoseidon, sha256Of, type TaggedHash } from './reference-hashes.ts';

const key = new Uint8Array(640).fill(3);
const manifestOf = (verificationKey: Uint8Array, setup = 'development'): string =>
  JSON.stringify({ ...MANIFEST, compiled: { ...MANIFEST.compiled, setup, vkHash: toHex(sha256Of(verificationKey)) } });
const wire = { manifest: manifestOf(key), verificationKey: toHex(key), ceremonyHash: toHex(NO_CEREMONY) };

describe('a public model', () => {
  let hash: TaggedHash;
  before(async () => {
    hash = await referencePoseidon();
  });

  it('is named by key, manifest and ceremony, and written as it was read', () => {
    const read = publicModelFromWire(wire);
    assert.equal(read.model.modelId, hash(7n, [...halvesOf(sha256Of(key)), ...halvesOf(sha256Of(wire.manifest)), 0n, 0n]));
    const { model, ...rest } = read;
    assert.equal(model.name, MANIFEST.name);
    assert.deepEqual(rest, { manifest: wire.manifest, verificationKey: key, ceremonyHash: NO_CEREMONY });
    assert.deepEqual(publicModelToWire(read), wire);
  });

  for (const length of [639, 641]) {
    it(`is refused with a key of ${length} bytes`, () => {
      const other = new Uint8Array(length).fill(3);
      const document = { ...wire, manifest: manifestOf(other), verificationKey: toHex(other) };
      throwsCode(() => publicModelFromWire(document), 'STUN_INPUT');
    });
  }

  it('is refused with another key than its manifest names, or a setup that the ceremony contradicts', () => {
    throwsCode(() => publicModelFromWire({ ...wire, verificationKey: toHex(key.with(0, 4)) }), 'STUN_MODEL_MANIFEST');
    throwsCode(() => publicModelFromWire({ ...wire, ceremonyHash: toHex(SOME_CEREMONY) }), 'STUN_MODEL_MANIFEST');
    throwsCode(() => publicModelFromWire({ ...wire, extra: 1 }), 'STUN_INPUT');
  });
});
