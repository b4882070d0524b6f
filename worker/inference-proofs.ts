/**
 * The proofs that orders above the level `attested` demand. A proof is begun when the job's receipt is stored, and made while the next jobs are
 * served; a segment is handed over once all its proofs are stored. What a proof is made from is known to the enclave alone: when it ends,
 * the proofs it still owes cannot be made any more, and the lane settles up to the last job that has one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { asStunError, errorEntry, type Hex, type StunError } from '#protocol/index.ts';
import type { InferenceProver, InferenceTask } from '#prover/interface.ts';
import { errorFields, type WorkerLog } from './log.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { WorkerStore } from './store.ts';

/** Attempts at one proof; a pool tries each of them twice. */
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;

/** A machine or a neighbour that is not well; every other failure is the same the next time. */
function isPassing(error: StunError): boolean {
  return ['unavailable', 'internal'].includes(errorEntry(error.code).class);
}

/** Proofs of one enclave's jobs. */
export class InferenceProofs {
  readonly #prover: InferenceProver;
  readonly #store: WorkerStore;
  readonly #log: WorkerLog;
  readonly #metrics: WorkerMetrics;
  /** Proofs that may be owed before no further job is leased. */
  readonly #backlog: number;
  readonly #owed = new Set<Promise<void>>();
  readonly #givenUp = new Set<string>();
  readonly #ended = new AbortController();

  constructor(prover: InferenceProver, store: WorkerStore, log: WorkerLog, metrics: WorkerMetrics, backlog: number) {
    this.#prover = prover;
    this.#store = store;
    this.#log = log;
    this.#metrics = metrics;
    this.#backlog = backlog;
  }

  /** Whether the prover knows a model. */
  proves(modelId: bigint): boolean {
    return this.#prover.models.has(modelId);
  }

  /** Whether a proof of a lane could not be made: nothing after that job can settle. */
  hasGivenUp(laneKey: string): boolean {
    return this.#givenUp.has(laneKey);
  }

  /** Begins the proof of a job whose receipt is stored. */
  start(jobId: Hex, laneKey: string, task: InferenceTask): void {
    const work = this.#make(jobId, laneKey, task)
      // A store that cannot be written: no further receipt can be stored either, which ends the worker.
      .catch((error: unknown) => this.#log.error({ event: 'inference.failed', jobId, ...errorFields(error) }))
      .finally(() => {
        this.#owed.delete(work);
        this.#metrics.inferenceProofsOwed.set(this.#owed.size);
      });
    this.#owed.add(work);
    this.#metrics.inferenceProofsOwed.set(this.#owed.size);
  }

  async #make(jobId: Hex, laneKey: string, task: InferenceTask): Promise<void> {
    const startedAtMs = performance.now();
    for (let attempt = 1; !this.#ended.signal.aborted; attempt++) {
      try {
        const proof = await this.#prover.prove(task, { signal: this.#ended.signal });
        this.#store.recordProof(jobId, proof);
        const elapsedMs = performance.now() - startedAtMs;
        this.#metrics.inferenceProofSeconds.observe(elapsedMs / 1000);
        this.#log.info({ event: 'inference.proved', jobId, elapsedMs: Math.round(elapsedMs) });
        return;
      } catch (thrown) {
        const error = asStunError(thrown);
        if (this.#ended.signal.aborted) return;
        if (attempt === ATTEMPTS || !isPassing(error)) return this.#giveUp(jobId, laneKey, error);
        this.#log.warn({ event: 'inference.retried', jobId, ...errorFields(error) });
        await sleep(FIRST_PAUSE_MS * 2 ** attempt, undefined, { signal: this.#ended.signal }).catch(() => undefined);
      }
    }
  }

  #giveUp(jobId: Hex, laneKey: string, error: StunError): void {
    this.#givenUp.add(laneKey);
    this.#metrics.inferenceProofFailures.inc({ code: error.code });
    const stranded = this.#store.strandFrom(jobId);
    this.#log.error({ event: 'inference.failed', jobId, stranded, ...errorFields(error) });
  }

  /** Resolves when another proof may be owed. */
  async room(): Promise<void> {
    while (this.#owed.size >= this.#backlog) await Promise.race(this.#owed);
  }

  /** Resolves when no proof is owed. */
  async idle(): Promise<void> {
    while (this.#owed.size > 0) await Promise.all(this.#owed);
  }

  /** Ends the proofs that run; what they were made from is forgotten. */
  close(): void {
    this.#ended.abort();
  }
}
