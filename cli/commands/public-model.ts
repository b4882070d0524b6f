/** The public part of a compiled model from the folder that the compiler wrote: manifest, verification key, ceremony. */
import type { PublicModel } from '#protocol/index.ts';

/** Reads it. @throws `STUN_FILE`, `STUN_MODEL_MANIFEST` */
export async function publicModelOf(directory: string): Promise<PublicModel> {
  const { readCompiledFolder } = await import('#circuits/model/folder.ts');
  const { model, manifest, verificationKeyBytes: verificationKey, ceremonyHash } = await readCompiledFolder(directory);
  return { model, manifest: new TextDecoder().decode(manifest), verificationKey, ceremonyHash };
}
