/** The smallest manifest of a compiled model: four features of one byte, two scores of four. */
import { toHex, utf8, type CompiledModelParts } from '#protocol/index.ts';

const KEY_HASH = new Uint8Array(32).fill(0xab);
/** A development key has no ceremony. */
export const NO_CEREMONY = new Uint8Array(32);
/** Differs from none in one bit. */
export const SOME_CEREMONY = new Uint8Array(32).fill(1, 31);

export const MANIFEST = {
  version: 1,
  name: 'tiny',
  inputs: [{ name: 'x', dtype: 'uint8', dims: [1, 4] }],
  outputs: [{ name: 'y', dtype: 'int32', dims: [2, 1] }],
  compiled: {
    modelSha256: '01'.repeat(32),
    programSha256: '02'.repeat(32),
    inputMaxima: [255, 200, 0, 9],
    committed: {
      input: { dtype: 2, scale: 3, dims: [4], bytesPerElement: 1 },
      output: { dtype: 6, scale: 5, dims: [2], bytesPerElement: 4 },
    },
    setup: 'development',
    vkHash: toHex(KEY_HASH) as string,
  },
};
export type Manifest = typeof MANIFEST;

/** What names the model of a manifest, with the manifest given as a document, as text or as bytes. */
export function partsOf(manifest: object | string | Uint8Array, ceremonyHash: Uint8Array = NO_CEREMONY): CompiledModelParts {
  const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
  return { manifest: manifest instanceof Uint8Array ? manifest : utf8(text), vkHash: KEY_HASH, ceremonyHash };
}
