/** What anybody needs of a compiled model to commit to its tensors and to verify its proofs: nothing secret, all of it bound by the model id. */
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { fromHex, toHex, utf8 } from '../bytes.ts';
import { compiledModelOf, type CompiledModel } from '../compiled-model.ts';
import { bytes32Hex, bytesHex, readDocument } from './scalars.ts';

/** Fixed encoding of a verification key with two public signals, docs/protocol.md section 3. */
const KEY_HEX_DIGITS = 2 + 2 * 640;

export const publicModelSchema = z.strictObject({
  /** The manifest's exact text. */
  manifest: z.string().max(4_194_304),
  verificationKey: bytesHex.length(KEY_HEX_DIGITS),
  /** Zero for a development key, for which anybody can forge proofs. */
  ceremonyHash: bytes32Hex,
});
export type PublicModelWire = z.infer<typeof publicModelSchema>;

/** A compiled model with what verifies its proofs. */
export interface PublicModel {
  readonly model: CompiledModel;
  readonly manifest: string;
  /** 640 bytes. */
  readonly verificationKey: Uint8Array;
  /** 32 bytes. */
  readonly ceremonyHash: Uint8Array;
}

/**
 * Reads a public model and derives its name. Does not check that anybody vouches for key or ceremony: see the model registry.
 * @throws `STUN_INPUT`, `STUN_MODEL_MANIFEST`
 */
export function publicModelFromWire(document: unknown): PublicModel {
  const wire = readDocument(publicModelSchema, document, 'public model');
  const verificationKey = fromHex(wire.verificationKey, undefined, 'verificationKey');
  const ceremonyHash = fromHex(wire.ceremonyHash, 32, 'ceremonyHash');
  const model = compiledModelOf({ manifest: utf8(wire.manifest), vkHash: sha256(verificationKey), ceremonyHash });
  return { model, manifest: wire.manifest, verificationKey, ceremonyHash };
}

/** The wire form of a public model. */
export function publicModelToWire({ manifest, verificationKey, ceremonyHash }: PublicModel): PublicModelWire {
  return { manifest, verificationKey: toHex(verificationKey), ceremonyHash: toHex(ceremonyHash) };
}
