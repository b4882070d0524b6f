/** A compiled model under a key whose trapdoor the test knows: its manifest is well formed, its circuit does not exist, every answer has a proof. */
import { sha256 } from '@noble/hashes/sha2.js';
import type { ModelRegistration } from '#chain/models.ts';
import { DTYPES } from '#protocol/tensor-payload.ts';
import { publicModelFromWire, randomField, toHex, utf8, type ModelSetup, type PublicModel } from '#protocol/index.ts';
import { makeTrapdoorKey, type TrapdoorKey } from './trapdoor-key.ts';

/** A model, and what registers it. */
export interface TrapdoorModel {
  readonly publicModel: PublicModel;
  readonly key: TrapdoorKey;
  readonly registration: ModelRegistration & { readonly verificationKey: Uint8Array };
}

/** A model that takes three bytes and gives three bytes. @param setup - what its manifest says of the key */
export function trapdoorModel(setup: ModelSetup = 'development'): TrapdoorModel {
  const key = makeTrapdoorKey();
  const tensor = (name: string) => ({ name, dtype: 'uint8', dims: [3] });
  const shape = { dtype: DTYPES.uint8.code, scale: 0, dims: [3], bytesPerElement: 1 };
  const manifest = JSON.stringify({
    version: 1,
    name: 'echo',
    inputs: [tensor('x')],
    outputs: [tensor('y')],
    compiled: {
      modelSha256: '11'.repeat(32),
      programSha256: '22'.repeat(32),
      inputMaxima: [255, 255, 255],
      committed: { input: shape, output: shape },
      setup,
      vkHash: toHex(sha256(key.bytes)),
    },
  });
  const ceremonyHash = toHex(setup === 'development' ? new Uint8Array(32) : sha256(utf8(String(randomField()))));
  const verificationKey = toHex(key.bytes);
  return {
    publicModel: publicModelFromWire({ manifest, verificationKey, ceremonyHash }),
    key,
    registration: { verificationKey: key.bytes, manifestSha256: toHex(sha256(utf8(manifest))), ceremonyHash },
  };
}
