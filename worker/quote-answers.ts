/**
 * Answers the service's questions for fresh evidence, beside the jobs: GPUs can take longer to answer than a lease lasts. Every answer to
 * a lease repeats the question until it is answered, so what fails is tried again after a pause alone: GPUs that attest all the
 * time have none for the jobs.
 */
import { asStunError, fromHex } from '#protocol/index.ts';
import type { Attester } from './issuer/attester.ts';
import type { EnclaveKeys } from './keys.ts';
import { errorFields, type WorkerLog } from './log.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { ServiceClient } from './service-client.ts';

/** What the answers are made of. */
export interface QuoteAnswersParts {
  readonly keys: Pick<EnclaveKeys, 'keysetDigest' | 'enclaveId'>;
  readonly attester: Pick<Attester, 'attest'>;
  readonly service: Pick<ServiceClient, 'renewQuote'>;
  readonly log: WorkerLog;
  readonly metrics: Pick<WorkerMetrics, 'quoteFailures'>;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** The questions that one keyset is asked. */
export class QuoteAnswers {
  readonly #parts: QuoteAnswersParts;
  #answeredNonce: string | undefined;
  #running: Promise<void> | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(parts: QuoteAnswersParts) {
    this.#parts = parts;
  }

  /**
   * Answers a question unless it is answered, another one is being answered, or one failed a moment ago; to be called whenever the service
   * asks. A failure is logged and counted, the jobs go on. Never throws.
   * @param nonce - 0x and 64 hex digits
   * @param stop - ends what is under way
   */
  answer(nonce: string, stop: AbortSignal): void {
    if (nonce === this.#answeredNonce || this.#running !== undefined || this.#parts.nowMs() < this.#pausedUntilMs) return;
    this.#running = this.#answer(nonce, stop).finally(() => (this.#running = undefined));
  }

  /** Waits for an answer that is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #answer(nonce: string, stop: AbortSignal): Promise<void> {
    const { keys, attester, service, log, metrics, nowMs } = this.#parts;
    try {
      const { document } = await attester.attest(keys.keysetDigest, fromHex(nonce, 32, 'nonce'), stop);
      await service.renewQuote(keys.enclaveId, document);
      this.#answeredNonce = nonce;
      this.#pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      if (stop.aborted) return;
      metrics.quoteFailures.inc({ code: asStunError(error).code });
      log.warn({ event: 'quote.failed', pauseMs: this.#pauseMs, ...errorFields(error) });
      this.#pausedUntilMs = nowMs() + this.#pauseMs;
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs);
    }
  }
}
