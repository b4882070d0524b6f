/** The inference prover of a worker: keys loaded once, proofs made by a pool of threads, each verified before it leaves. */
import { fileURLToPath } from 'node:url';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import { chooseBackends, type BackendWish } from './backends.ts';
import { loadInferenceArtefacts, type InferenceArtefacts } from './inference-artefacts.ts';
import type { InferenceThreadData } from './inference.worker.ts';
import type { InferenceProver, InferenceTask, ProveOptions } from './interface.ts';
import { budgetOf, planMemory } from './memory-plan.ts';
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
  /** Keys, threads and running proofs together (docs/proving.md). */
  readonly memoryLimitMb: number;
  readonly backend: BackendWish;
}

/** Old space of a thread's heap: it makes each model's constraints once and keeps them. */
function heapLimitOf(models: readonly InferenceArtefacts[]): number {
  return 64 + Math.ceil(models.reduce((sum, { zkey }) => sum + 8 * zkey.byteLength, 0) / 2 ** 20);
}

const THREAD = fileURLToPath(new URL('./inference.worker.ts', import.meta.url));

class PooledInferenceProver implements InferenceProver {
  readonly models: ReadonlySet<bigint>;
  readonly #pool: ThreadPool<InferenceTask, ProofPoints>;

  constructor(models: readonly InferenceArtefacts[], options: InferenceProverOptions) {
    this.models = new Set(models.map(({ modelId }) => modelId));
    // What cannot be met is refused here, not in every thread.
    const planned = models.map(({ modelId, name, zkey }) => ({
      name,
      id: String(modelId),
      zkey,
      programBytes: 0,
      witnessBytes: 0,
    }));
    const heapLimitMb = heapLimitOf(models);
    const plan = planMemory(planned, chooseBackends(options.backend), { ...options, heapLimitMb });
    const workerData: InferenceThreadData = { models, backends: plan.chosen.backends.map(({ name }) => name) };
    const budget = budgetOf<InferenceTask>(plan, ({ modelId }) => String(modelId));
    this.#pool = new ThreadPool({ ...options, heapLimitMb, workerFile: THREAD, workerData, budget });
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
 *   `STUN_PROVER_KEY`; `STUN_PROVER_MEMORY` when `memoryLimitMb` does not hold keys and threads with one proof
 */
export async function createInferenceProver(options: InferenceProverOptions): Promise<InferenceProver> {
  return new PooledInferenceProver(await loadInferenceArtefacts(options.directories), options);
}
