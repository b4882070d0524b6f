/**
 * Keeps what customers are handed acceptable. A listing carries the evidence of its registration; the OCSP responses about GPUs in it end
 * after a day, a keyset lives for a week. So the machine is shown again, over a block of today, when half of that day is over and newer
 * responses are to be had: GPUs are not asked for evidence that would end when the listed one does.
 */
import { asStunError } from '#protocol/index.ts';
import type { MachineEvidence } from './issuer/attester.ts';
import { errorFields, type WorkerLog } from './log.ts';
import type { WorkerMetrics } from './metrics.ts';

/** What the renewal works with. */
export interface ListingRenewalParts {
  /** Where evidence that is made now would end, as {@link MachineEvidence} says it; asks no GPU. */
  readonly standsUntilUnix: () => Promise<number | null>;
  /** Makes evidence over the newest block and lists the enclave with it. */
  readonly renew: () => Promise<MachineEvidence>;
  readonly nowUnix: () => number;
  readonly log: WorkerLog;
  readonly metrics: Pick<WorkerMetrics, 'quoteFailures'>;
}

/** Between a try that changed nothing and the next. */
const PAUSE_SECONDS = 600;

/** Without GPUs it does not end. */
const endOf = (standsUntilUnix: number | null): number => standsUntilUnix ?? Number.POSITIVE_INFINITY;

/** The evidence of one listing, from the first to the last. Without GPUs nothing is renewed. */
export class ListingRenewal {
  readonly #parts: ListingRenewalParts;
  #listedUntilUnix: number;
  #dueAtUnix: number;
  #running: Promise<void> | undefined;

  /** @param listed - the evidence that the enclave is listed with */
  constructor(listed: MachineEvidence, parts: ListingRenewalParts) {
    this.#parts = parts;
    this.#listedUntilUnix = endOf(listed.standsUntilUnix);
    this.#dueAtUnix = this.#halfWay();
  }

  /** Renews when it is time; to be called often. Renewals that fail, or find nothing newer, are tried again ten minutes later. Never throws. */
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
    const { standsUntilUnix, renew, nowUnix, log, metrics } = this.#parts;
    this.#dueAtUnix = nowUnix() + PAUSE_SECONDS;
    try {
      if (endOf(await standsUntilUnix()) <= this.#listedUntilUnix) {
        log.warn({ event: 'enclave.evidence-not-renewed', standsUntilUnix: this.#listedUntilUnix });
        return;
      }
      const renewed = await renew();
      this.#listedUntilUnix = endOf(renewed.standsUntilUnix);
      this.#dueAtUnix = Math.max(this.#dueAtUnix, this.#halfWay());
      log.info({ event: 'enclave.evidence-renewed', standsUntilUnix: renewed.standsUntilUnix });
    } catch (error) {
      metrics.quoteFailures.inc({ code: asStunError(error).code });
      log.warn({ event: 'enclave.evidence-renewal-failed', ...errorFields(error) });
    }
  }

  #halfWay(): number {
    const now = this.#parts.nowUnix();
    return now + Math.floor((this.#listedUntilUnix - now) / 2);
  }
}
