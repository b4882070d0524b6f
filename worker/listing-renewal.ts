/**
 * Keeps what customers are handed acceptable. A listing carries the evidence of its registration; the OCSP responses about GPUs in it end
 * after a day, a keyset lives for a week. So the machine is shown again, over a block of today, when half of that day is over.
 */
import { asStunError } from '#protocol/index.ts';
import type { MachineEvidence } from './issuer/attester.ts';
import { errorFields, type WorkerLog } from './log.ts';
import type { WorkerMetrics } from './metrics.ts';

/** What the renewal works with. */
export interface ListingRenewalParts {
  /** Makes evidence over the newest block and lists the enclave with it. */
  readonly renew: () => Promise<MachineEvidence>;
  readonly nowUnix: () => number;
  readonly log: WorkerLog;
  readonly metrics: Pick<WorkerMetrics, 'quoteFailures'>;
}

/** The evidence of one listing, from the first to the last. Without GPUs nothing is renewed. */
export class ListingRenewal {
  readonly #parts: ListingRenewalParts;
  #dueAtUnix: number;
  #running: Promise<void> | undefined;

  /** @param listed - the evidence that the enclave is listed with */
  constructor(listed: MachineEvidence, parts: ListingRenewalParts) {
    this.#parts = parts;
    this.#dueAtUnix = this.#halfWayTo(listed);
  }

  /** Renews when it is time; to be called often. What fails is tried again at the next call. Never throws. */
  check(): Promise<void> {
    if (this.#running === undefined && this.#parts.nowUnix() >= this.#dueAtUnix)
      this.#running = this.#renew().finally(() => (this.#running = undefined));
    return this.#running ?? Promise.resolve();
  }

  /** Waits for a renewal that is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #renew(): Promise<void> {
    const { renew, log, metrics } = this.#parts;
    try {
      const renewed = await renew();
      this.#dueAtUnix = this.#halfWayTo(renewed);
      log.info({ event: 'enclave.evidence-renewed', standsUntilUnix: renewed.standsUntilUnix });
    } catch (error) {
      metrics.quoteFailures.inc({ code: asStunError(error).code });
      log.warn({ event: 'enclave.evidence-renewal-failed', ...errorFields(error) });
    }
  }

  #halfWayTo({ standsUntilUnix }: MachineEvidence): number {
    if (standsUntilUnix === null) return Number.POSITIVE_INFINITY;
    const now = this.#parts.nowUnix();
    return now + Math.floor((standsUntilUnix - now) / 2);
  }
}
