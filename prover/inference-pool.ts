/** The inference prover of a worker: keys loaded once, proofs made by a pool of threads, each verified before it leaves. */
import { fileURLToPath } from 'node:url';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import { chooseBackends, type BackendWish } from './backends.ts';
import { loadInferenceArtefacts, type InferenceArtefacts } from './inference-artefacts.ts';
import type { InferenceThreadData } from './inference.worker.ts';
import type { InferenceProver, InferenceTask, ProveOptions } from './interface.ts';
import { ThreadPool } from './thread-pool.ts';

/** How an inference prover is run; nothing has a default. */
export interface InferenceProverOptions {
  /** Folders that `stun model compile` wrote. */
  readonly directories: readonly string[];
  /** Proofs made at once. */
  readonly threads: number;
  /** Tasks that may wait before new ones get `STUN_PROVER_BUSY`. */
  readonly queueLimit: number;
  /** For one attempt at one proof. */
  readonly taskTimeoutMs: number;
  /** JavaScript heap of one thread, and once more what its backend may allocate for a proof; keys come on top. */
  readonly memoryLimitMb: number;
  readonly backend: BackendWish;
}

const THREAD = fileURLToPath(new URL('./inference.worker.ts', import.meta.url));

class PooledInferenceProver implements InferenceProver {
  readonly models: ReadonlySet<bigint>;
  readonly #pool: ThreadPool<InferenceTask, ProofPoints>;

  constructor(models: readonly InferenceArtefacts[], options: InferenceProverOptions) {
    this.models = new Set(models.map(({ modelId }) => modelId));
    // A wish that cannot be met is refused here, not in every thread.
    chooseBackends(options.backend);
    const workerData: InferenceThreadData = { models, backend: options.backend, memoryLimitMb: options.memoryLimitMb };
    this.#pool = new ThreadPool({ ...options, workerFile: THREAD, workerData });
  }

  prove(task: InferenceTask, options: ProveOptions = {}): Promise<ProofPoints> {
    return this.#pool.run(task, options);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/**
 * Loads the models and starts the threads.
 * @throws `STUN_CONFIG` for a number out of range or a backend that this machine cannot run; `STUN_FILE`, `STUN_MODEL_MANIFEST`,
 *   `STUN_PROVER_KEY`
 */
export async function createInferenceProver(options: InferenceProverOptions): Promise<InferenceProver> {
  return new PooledInferenceProver(await loadInferenceArtefacts(options.directories), options);
}
