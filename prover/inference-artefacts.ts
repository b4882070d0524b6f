/** Proving keys of compiled models in memory, once per process, as the artefacts of settlement circuits are. */
import { readCompiledFolder } from '#circuits/model/folder.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { readShared } from './artefacts.ts';

type Folder = Awaited<ReturnType<typeof readCompiledFolder>>;

/** What a thread needs for one model; structured-cloneable. */
export interface InferenceArtefacts extends Pick<Folder, 'program' | 'verificationKey'> {
  readonly modelId: bigint;
  /** Of the model, for messages. */
  readonly name: string;
  readonly zkey: SharedArrayBuffer;
}

/**
 * Loads compiled models.
 * @param directories - folders that `stun model compile` wrote
 * @throws `STUN_FILE`, `STUN_MODEL_MANIFEST`, `STUN_PROVER_KEY`; `STUN_CONFIG` for a model that stands there twice
 */
export async function loadInferenceArtefacts(directories: readonly string[]): Promise<readonly InferenceArtefacts[]> {
  const loaded: InferenceArtefacts[] = [];
  for (const directory of directories) {
    const { model, program, verificationKey, zkeyPath, zkeySha256 } = await readCompiledFolder(directory);
    if (loaded.some(({ modelId }) => modelId === model.modelId)) {
      throw new StunError('STUN_CONFIG', `the compiled model ${model.name} is listed twice`);
    }
    loaded.push({
      modelId: model.modelId,
      name: model.name,
      program,
      verificationKey,
      zkey: await readShared(zkeyPath, zkeySha256),
    });
  }
  return loaded;
}
