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
import type { Groth16Backend, KeyMemory } from './backend.ts';
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
import { readTask } from './segment.ts';
import { artefactsOfFamily, type ProvenSegment } from './segment-prover.ts';
import type { ProvingThreadData } from './task.worker.ts';
import { ThreadPool, type TaskBudget } from './thread-pool.ts';
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
  /** JavaScript heap of one thread; and once more prepared keys and running proofs of the native backend together (docs/proving.md). */
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
  readonly #chosen: ChosenBackends;
  #madeByFallback = 0;

  constructor(
    circuits: readonly ProvingArtefacts[],
    options: Omit<ProverOptions, 'circuits' | 'ceremonies' | 'progress'>,
    chosen: ChosenBackends,
    workerFile: string,
    budget?: TaskBudget<SettlementProofTask>,
  ) {
    this.#circuits = circuits;
    this.#options = options;
    this.#chosen = chosen;
    const workerData: ProvingThreadData = { circuits, backend: options.backend, memoryLimitMb: options.memoryLimitMb };
    this.#pool = new ThreadPool({ ...options, workerFile, workerData, ...(budget && { budget }) });
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
    const { done, time, largestThreadHeapBytes, ...counters } = this.#pool.stats();
    const [first, ...others] = this.#chosen.backends;
    return {
      ...counters,
      backend: {
        name: first!.name,
        engine: first!.engine,
        fallbacks: others.map((backend) => backend.name),
        madeByFallback: this.#madeByFallback,
        unavailable: this.#chosen.unavailable,
      },
      threads: this.#options.threads,
      queueLimit: this.#options.queueLimit,
      proved: done,
      proofTime: time,
      memory: {
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

/**
 * Prepares all keys, where the backend does that; what they leave of the limit is for proofs.
 * @throws `STUN_PROVER_MEMORY` when they leave nothing, or a circuit's proof would not fit even alone
 */
function budgetOf(
  circuits: readonly ProvingArtefacts[],
  backend: Groth16Backend,
  memoryLimitMb: number,
): TaskBudget<SettlementProofTask> | undefined {
  let bytes = memoryLimitMb * 2 ** 20;
  const needs = new Map<string, KeyMemory['proofBytes']>();
  for (const { familyId, zkey } of circuits) {
    const memory = backend.prepare?.(new Uint8Array(zkey), Math.max(1, Math.floor(bytes / 2 ** 20)));
    if (memory === undefined) return undefined;
    bytes -= memory.keyBytes;
    needs.set(familyId, memory.proofBytes);
  }
  for (const { name, familyId } of circuits) {
    const neededMb = Math.ceil(needs.get(familyId)!(1) / 2 ** 20);
    if (neededMb * 2 ** 20 > bytes) {
      const leftMb = Math.max(0, Math.floor(bytes / 2 ** 20));
      throw new StunError('STUN_PROVER_MEMORY', `a proof of ${name} takes ${neededMb} MB, prepared keys leave ${leftMb} MB`);
    }
  }
  // A task of no loaded family needs nothing: its thread refuses it.
  return { bytes, needed: ({ bundle }, cores) => needs.get(bundle.opening.terms.settlementFamily)?.(cores) ?? 0 };
}

/**
 * A prover over artefacts that are already loaded.
 * @param workerFile - the thread's program; another one only to observe how failures are handled
 * @throws `STUN_CONFIG` for a number out of range, or a backend that this machine cannot run
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
 *   `STUN_PROVER_KEY`; `STUN_PROVER_MEMORY` when `memoryLimitMb` does not hold the prepared keys with one proof
 */
export async function createSettlementProver(options: ProverOptions): Promise<SettlementProver> {
  const circuits = await loadCircuits(options.circuits, options.progress, options.ceremonies);
  const chosen = chooseBackends(options.backend);
  // Here and not in a thread's first proof: a key that does not fit stops the start.
  const budget = budgetOf(circuits, chosen.backends[0]!, options.memoryLimitMb);
  return new PooledProver(circuits, options, chosen, PROVING_THREAD, budget);
}
