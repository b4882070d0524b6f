/** A cumulative time histogram for metrics. */
import type { TimeHistogram } from './interface.ts';

/** Upper bounds in milliseconds that fit proofs from a small circuit to 256 jobs on a slow machine. */
export const PROOF_TIME_BOUNDS_MS: readonly number[] = [500, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000, 120_000, 300_000];

/** Counts durations; never forgets. */
export class Histogram {
  readonly #boundsMs: readonly number[];
  readonly #counts: number[];
  #count = 0;
  #sumMs = 0;

  /** @param boundsMs - ascending upper bounds */
  constructor(boundsMs: readonly number[] = PROOF_TIME_BOUNDS_MS) {
    this.#boundsMs = boundsMs;
    this.#counts = boundsMs.map(() => 0);
  }

  observe(durationMs: number): void {
    this.#count++;
    this.#sumMs += durationMs;
    for (const [i, bound] of this.#boundsMs.entries()) if (durationMs <= bound) this.#counts[i]!++;
  }

  /** Mean duration, undefined before the first. */
  get meanMs(): number | undefined {
    return this.#count === 0 ? undefined : this.#sumMs / this.#count;
  }

  snapshot(): TimeHistogram {
    return { boundsMs: this.#boundsMs, counts: [...this.#counts], count: this.#count, sumMs: this.#sumMs };
  }
}
