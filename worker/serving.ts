/** The lease loop: takes jobs, keeps leases alive, releases what is stored, closes idle segments and hands them over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asStunError, StunError } from '#protocol/index.ts';
import { isRefusal } from './admission.ts';
import type { Enclave } from './enclave.ts';
import type { Attester } from './issuer/attester.ts';
import { processJob, type JobOutcome } from './job.ts';
import { errorFields, type WorkerLog } from './log.ts';
import type { WorkerMetrics } from './metrics.ts';
import { QuoteAnswers } from './quote-answers.ts';
import { RefusedPushes } from './refused-pushes.ts';
import { noteSettlements } from './reservations.ts';
import type { Lease, ServiceClient } from './service-client.ts';
import type { UnreleasedJob } from './store.ts';

export interface ServingOptions {
  readonly leaseWaitMs: number;
  readonly segmentIdleMs: number;
  readonly concurrency: number;
  /** For the quotes that the service asks for. */
  readonly attester: Attester;
  readonly metrics: WorkerMetrics;
}

/** How often a worker says that a job still runs; leases of services are never shorter than this and a few seconds. */
export const HEARTBEAT_MS = 5000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/** Serves until the signal; then finishes the running jobs, closes all segments and hands them over. */
export class Serving {
  readonly #enclave: Enclave;
  readonly #service: ServiceClient;
  readonly #log: WorkerLog;
  readonly #options: ServingOptions;
  /** When a lane last got a receipt, by lane key; for early closing. */
  readonly #lastReceiptMs = new Map<string, number>();
  /** Stored jobs whose release is not known. Their leases may never come again, and no segment is taken without them. */
  readonly #leftOver = new Set<string>();
  readonly #refusedPushes = new RefusedPushes();
  #pushing: Promise<void> = Promise.resolve();
  readonly #quotes: QuoteAnswers;

  constructor(enclave: Enclave, service: ServiceClient, log: WorkerLog, options: ServingOptions) {
    this.#enclave = enclave;
    this.#service = service;
    this.#log = log;
    this.#options = options;
    this.#quotes = new QuoteAnswers({ keys: enclave.keys, service, log, nowMs: () => performance.now(), ...options });
  }

  /**
   * Runs to the end.
   * @throws `STUN_WORKER_STORE` when receipts cannot be stored: nothing may be served then
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#recover();
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    const loops = Array.from({ length: this.#options.concurrency }, () => this.#leaseLoop(stop));
    const idle = this.#idleLoop(stop);
    try {
      await Promise.all(loops);
    } finally {
      failed.abort();
      await Promise.allSettled([...loops, idle]);
      await this.#drain();
    }
  }

  /** What an earlier life left: stored results that may not have been released, and segments that may not have been handed over. */
  async #recover(): Promise<void> {
    const { store, keys } = this.#enclave;
    const closed = store.closeAbandoned(keys.enclaveId);
    if (closed > 0) this.#log.info({ event: 'segments.closed', count: closed, reason: 'left open by an earlier keyset' });
    for (const { jobId } of store.unreleasedJobs()) this.#leftOver.add(jobId);
    await this.#releaseLeftOver();
    await this.#pushSegments();
  }

  /** Hands over a stored receipt; an outage leaves it for the next time, a refusal ends the matter. */
  async #release(jobId: string, { leaseId, record, sealedResult }: Omit<UnreleasedJob, 'jobId'>): Promise<void> {
    try {
      await this.#service.complete(leaseId, record, sealedResult);
    } catch (thrown) {
      // Refused, it settles all the same with its segment; the sealed result stays in the store.
      if (isRefusal(asStunError(thrown))) this.#leftOver.delete(jobId);
      else this.#leftOver.add(jobId);
      throw thrown;
    }
    this.#enclave.store.markReleased(jobId);
    this.#leftOver.delete(jobId);
  }

  /** Hands over what is stored and not known to be released. */
  async #releaseLeftOver(): Promise<void> {
    for (const jobId of this.#leftOver) {
      try {
        // It is there: what is left over was stored, and nothing is ever deleted.
        await this.#release(jobId, this.#enclave.store.answeredJob(jobId)!);
        this.#log.info({ event: 'job.released', jobId, note: 'the service had not answered before' });
      } catch (thrown) {
        this.#log.warn({ event: 'job.release-failed', jobId, ...errorFields(asStunError(thrown)) });
      }
    }
    this.#options.metrics.unreleased.set(this.#leftOver.size);
  }

  async #leaseLoop(stop: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!stop.aborted) {
      try {
        const { lease, quoteNonce } = await this.#service.lease(this.#enclave.keys.enclaveId, this.#options.leaseWaitMs, stop);
        if (quoteNonce !== undefined) this.#quotes.answer(quoteNonce, stop);
        if (lease !== undefined) await this.#work(lease);
        await this.#enclave.proofs?.room();
        pauseMs = FIRST_PAUSE_MS;
      } catch (thrown) {
        if (stop.aborted) return;
        const error = asStunError(thrown);
        // Without a store nothing may be served; everything else may pass, even a defect that one odd job brings out.
        if (error.code === 'STUN_WORKER_STORE') throw error;
        const level = error.code === 'STUN_INTERNAL' ? 'error' : 'warn';
        this.#log[level]({ event: 'lease.failed', pauseMs, ...errorFields(error) });
        await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
    }
  }

  async #work(lease: Lease): Promise<void> {
    const startedMs = performance.now();
    const beat = setInterval(() => {
      this.#service.heartbeat(lease.leaseId).catch((error: unknown) => {
        this.#log.warn({ event: 'lease.heartbeat-failed', jobId: lease.jobId, ...errorFields(error) });
      });
    }, HEARTBEAT_MS);
    try {
      const outcome = await processJob(this.#enclave, {
        leaseId: lease.leaseId,
        header: lease.header,
        payload: () => whileLeased(this.#service.payload(lease.leaseId)),
        opening: (orderKey, enclaveId) => whileLeased(this.#service.opening(orderKey, enclaveId, lease.leaseId)),
      });
      await this.#report(lease, outcome, performance.now() - startedMs);
    } finally {
      clearInterval(beat);
    }
  }

  async #report(lease: Lease, outcome: JobOutcome, elapsedMs: number): Promise<void> {
    const jobId = lease.jobId;
    const { jobs, jobSeconds } = this.#options.metrics;
    if (outcome.kind === 'declined') {
      jobs.inc({ result: 'declined', code: outcome.code });
      this.#log.info({ event: 'job.declined', jobId, code: outcome.code, reason: outcome.reason });
      await this.#service.decline(lease.leaseId, outcome.code, outcome.reason);
      return;
    }
    this.#lastReceiptMs.set(outcome.laneKey, performance.now());
    const { status, code } = outcome;
    jobs.inc({ result: status, code: code ?? '' });
    jobSeconds.observe(elapsedMs / 1000);
    this.#log.info({
      event: 'job.receipted',
      jobId,
      status,
      ...(code === undefined ? {} : { code }),
      elapsedMs: Math.round(elapsedMs),
    });
    await this.#release(outcome.jobId, { ...outcome, leaseId: lease.leaseId });
    if (outcome.segmentClosed) await this.#pushSegments();
  }

  async #idleLoop(stop: AbortSignal): Promise<void> {
    const periodMs = Math.min(1000, this.#options.segmentIdleMs);
    while (!stop.aborted) {
      await sleep(periodMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) return;
      const before = performance.now() - this.#options.segmentIdleMs;
      this.#closeSegments((laneKey) => (this.#lastReceiptMs.get(laneKey) ?? 0) <= before);
      await this.#releaseLeftOver();
      await this.#pushSegments();
    }
  }

  #closeSegments(when: (laneKey: string) => boolean): void {
    for (const [laneKey, lane] of this.#enclave.lanes) {
      if (lane.segment.count === 0 || !when(laneKey)) continue;
      // In the store first: after a crash in between, the segment is closed and this enclave is gone.
      this.#enclave.store.closeSegment(lane.id.orderId, lane.id.provider, lane.id.laneIndex);
      lane.closeSegment();
      this.#log.info({ event: 'segment.closed', laneIndex: lane.id.laneIndex, reason: 'early' });
    }
  }

  /** Hands over closed segments, one after the other; what fails stays for the next time, what is refused for a later one. */
  #pushSegments(): Promise<void> {
    this.#pushing = this.#pushing.then(async () => {
      const { store } = this.#enclave;
      for (const segment of store.unpushedSegments()) {
        if (!this.#refusedPushes.isDue(segment.id, performance.now())) continue;
        try {
          const segmentId = await this.#service.pushSegment(store.bundleOf(segment.id));
          store.markPushed(segment.id);
          this.#refusedPushes.taken(segment.id);
          this.#options.metrics.segments.inc({ result: 'pushed' });
          this.#log.info({ event: 'segment.pushed', segmentId, laneIndex: segment.laneIndex, firstK: segment.firstK });
        } catch (error) {
          this.#options.metrics.segments.inc({ result: 'failed' });
          if (isRefusal(asStunError(error))) this.#refusedPushes.refused(segment.id, performance.now());
          this.#log.warn({ event: 'segment.push-failed', laneIndex: segment.laneIndex, ...errorFields(error) });
        }
      }
    });
    return this.#pushing;
  }

  async #drain(): Promise<void> {
    this.#closeSegments(() => true);
    await this.#enclave.proofs?.idle();
    await this.#releaseLeftOver();
    await this.#pushSegments();
    try {
      await noteSettlements(this.#enclave);
    } catch (error) {
      this.#log.debug({ event: 'settlements.unknown', ...errorFields(error) });
    }
    // Last: no money waits for GPUs or for NVIDIA.
    await this.#quotes.idle();
  }
}

/** A lease that ended says nothing about the job: it comes again. Without this it would be declined and its lane closed. */
async function whileLeased<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    const error = asStunError(thrown);
    if (error.code !== 'STUN_LEASE') throw error;
    throw new StunError('STUN_WORKER_SERVICE', 'the lease ended before the job was served', { cause: error });
  }
}
