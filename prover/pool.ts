/** The settlement prover: circuits loaded once, proofs made by a pool of threads, each verified before it leaves. */
import { fileURLToPath } from 'node:url';
import {
  fieldFromHex,
  pairsOfSignals,
  publicSignalNames,
  readDocument,
  SETTLEMENT_SIGNALS,
  StunError,
  type SettlementSignals,
} from '#protocol/index.ts';
import type { CeremonyKey } from '#circuits/manifest.ts';
import { loadCircuits, type ProvingArtefacts } from './artefacts.ts';
import { chooseBackends, type BackendWish, type ChosenBackends } from './backends.ts';
import {
  settlementProofSchema,
  type ProveOptions,
  type ProverStats,
  type SettlementProof,
  type SettlementProofTask,
  type SettlementProver,
  type VerifiedSettlement,
} from './interface.ts';
import { budgetOf, planMemory, type MemoryPlan, type PlannedCircuit } from './memory-plan.ts';
import { readTask } from './segment.ts';
import { artefactsOfFamily, type ProvenSegment } from './segment-prover.ts';
import type { ProvingThreadData } from './task.worker.ts';
import { ThreadPool } from './thread-pool.ts';
import { verifyGroth16 } from './verify-groth16.ts';

/** How a prover is run; nothing has a default and nothing is clamped. */
export interface ProverOptions {
  /** Proofs made at once; one per core is best. */
  readonly threads: number;
  /** Names in circuits/circuits.json, proved with development keys; a missing one is built first. */
  readonly circuits: readonly string[];
  /** Keys of ceremonies. */
  readonly ceremonies?: readonly CeremonyKey[];
  /** Tasks that may wait before new ones get `STUN_PROVER_BUSY`. */
  readonly queueLimit: number;
  /** For one attempt at one proof. */
  readonly taskTimeoutMs: number;
  /** Keys, threads and running proofs together, whatever the backend (docs/proving.md). */
  readonly memoryLimitMb: number;
  /** Which backend makes the proofs; the slower ones try again what it gets wrong. */
  readonly backend: BackendWish;
  /** Told what is built when a circuit is not cached. */
  readonly progress?: (step: string) => void;
}

/** The program of a proving thread. */
export const PROVING_THREAD = fileURLToPath(new URL('./task.worker.ts', import.meta.url));

class PooledProver implements SettlementProver {
  readonly #circuits: readonly ProvingArtefacts[];
  readonly #options: Omit<ProverOptions, 'circuits' | 'ceremonies' | 'progress'>;
  readonly #pool: ThreadPool<SettlementProofTask, ProvenSegment>;
  readonly #plan: MemoryPlan;
  #madeByFallback = 0;

  constructor(
    circuits: readonly ProvingArtefacts[],
    options: Omit<ProverOptions, 'circuits' | 'ceremonies' | 'progress'>,
    chosen: ChosenBackends,
    workerFile: string,
  ) {
    this.#circuits = circuits;
    this.#options = options;
    const heapLimitMb = THREAD_HEAP_MB;
    this.#plan = planMemory(plannedCircuits(circuits), chosen, { ...options, heapLimitMb });
    const workerData: ProvingThreadData = { circuits, backends: this.#plan.chosen.backends.map(({ name }) => name) };
    const budget = budgetOf<SettlementProofTask>(this.#plan, ({ bundle }) => bundle.opening.terms.settlementFamily);
    this.#pool = new ThreadPool({ ...options, heapLimitMb, workerFile, workerData, budget });
  }

  async prove(task: SettlementProofTask, options: ProveOptions = {}): Promise<SettlementProof> {
    const { proof, failed } = await this.#pool.run(readTask(task), options);
    if (failed.length > 0) this.#madeByFallback++;
    return proof;
  }

  // A promise, because another prover may be far away; the work of some 50 ms is done here and now.
  async verify(document: SettlementProof): Promise<VerifiedSettlement> {
    const proof = readDocument(settlementProofSchema, document, 'proof');
    const artefacts = artefactsOfFamily(this.#circuits, proof.familyId);
    if (artefacts.name !== proof.circuit) {
      throw new StunError('STUN_PROOF_FAMILY', `the family is that of ${artefacts.name}, not of ${proof.circuit}`);
    }
    const names = publicSignalNames(artefacts.publishedPairs);
    if (proof.signals.length !== names.length) {
      throw new StunError('STUN_INPUT', `a proof of ${artefacts.name} has ${names.length} signals, got ${proof.signals.length}`);
    }
    const values = proof.signals.map((signal, i) => fieldFromHex(signal, names[i]));
    verifyGroth16(artefacts.verificationKey, proof, values);
    const signals = Object.fromEntries(SETTLEMENT_SIGNALS.map((name, i) => [name, values[i]!])) as SettlementSignals;
    return { signals, pairs: pairsOfSignals(values) };
  }

  stats(): ProverStats {
    const { done, time, largestThreadHeapBytes, takenBytes, ...counters } = this.#pool.stats();
    const { chosen, limitBytes, heldBytes } = this.#plan;
    const [first, ...others] = chosen.backends;
    return {
      ...counters,
      processesReplaced: 0,
      backend: {
        name: first!.name,
        engine: first!.engine,
        fallbacks: others.map((backend) => backend.name),
        madeByFallback: this.#madeByFallback,
        unavailable: chosen.unavailable,
      },
      threads: this.#options.threads,
      queueLimit: this.#options.queueLimit,
      proved: done,
      proofTime: time,
      memory: {
        limitBytes,
        plannedBytes: heldBytes + takenBytes,
        rssBytes: process.memoryUsage.rss(),
        sharedKeyBytes: this.#circuits.reduce((sum, circuit) => sum + circuit.zkey.byteLength, 0),
        largestThreadHeapBytes,
      },
    };
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** Old space of a thread's heap: checking a bundle of 256 jobs gets by with a third of it. */
const THREAD_HEAP_MB = 64;

/** What circuits take; of witnesses the greater of what circom's program and ours need, which the size of ours bounds. */
function plannedCircuits(circuits: readonly ProvingArtefacts[]): PlannedCircuit[] {
  return circuits.map(({ name, familyId, zkey, witnessProgram: { byteLength } }) => ({
    name,
    id: familyId,
    zkey,
    // As it was read and, where our program runs, as it was opened.
    programBytes: 2 * byteLength,
    witnessBytes: 4 * byteLength,
  }));
}

/**
 * A prover over artefacts that are already loaded.
 * @param workerFile - the thread's program; another one only to observe how failures are handled
 * @throws `STUN_CONFIG` for a number out of range, or a backend that this machine cannot run; `STUN_PROVER_MEMORY`, `STUN_PROVER_KEY` as
 *   {@link createSettlementProver}
 */
export function createProverOver(
  circuits: readonly ProvingArtefacts[],
  options: Omit<ProverOptions, 'circuits' | 'ceremonies' | 'progress'>,
  workerFile: string = PROVING_THREAD,
): SettlementProver {
  return new PooledProver(circuits, options, chooseBackends(options.backend), workerFile);
}

/**
 * Loads (or builds) the circuits and starts the threads.
 * @throws `STUN_CONFIG` for a number out of range, no circuit or a backend that this machine cannot run; `STUN_CIRCUIT_*`, `STUN_FILE`,
 *   `STUN_PROVER_KEY`; `STUN_PROVER_MEMORY` when `memoryLimitMb` does not hold keys and threads with one proof of each circuit
 */
export async function createSettlementProver(options: ProverOptions): Promise<SettlementProver> {
  return createProverOver(await loadCircuits(options.circuits, options.progress, options.ceremonies), options);
}
