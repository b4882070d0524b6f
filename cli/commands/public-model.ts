/** The public part of a compiled model from the folder that the compiler wrote: manifest, verification key, ceremony. */
import type { ModelSetup, PublicModel } from '#protocol/index.ts';

/** Reads it. @throws `STUN_FILE`, `STUN_MODEL_MANIFEST` */
export async function publicModelOf(directory: string): Promise<PublicModel> {
  const { readCompiledFolder } = await import('#circuits/model/folder.ts');
  const { model, manifest, verificationKeyBytes: verificationKey, ceremonyHash } = await readCompiledFolder(directory);
  return { model, manifest: new TextDecoder().decode(manifest), verificationKey, ceremonyHash };
}

/** What people are told of the key, where it is none of a ceremony. */
export function setupWarning(setup: ModelSetup): readonly string[] {
  if (setup === 'ceremony') return [];
  const forger = setup === 'development' ? 'anyone' : 'whoever made its powers of tau';
  return [`${setup.toUpperCase()} KEY: ${forger} can forge proofs under it, no chain but 31337 may accept it`];
}
