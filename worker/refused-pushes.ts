/** When a segment that the service refused is handed over again: it may be refused for good, and nobody is told every second. */

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Pauses by segment, from one second doubled with each refusal up to a minute. */
export class RefusedPushes {
  readonly #pauses = new Map<number, { readonly pauseMs: number; readonly untilMs: number }>();

  /** Whether the segment may be handed over at that time. */
  isDue(segmentId: number, nowMs: number): boolean {
    return nowMs >= (this.#pauses.get(segmentId)?.untilMs ?? nowMs);
  }

  /** The service refused the segment. */
  refused(segmentId: number, nowMs: number): void {
    const before = this.#pauses.get(segmentId)?.pauseMs ?? FIRST_PAUSE_MS / 2;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * before);
    this.#pauses.set(segmentId, { pauseMs, untilMs: nowMs + pauseMs });
  }

  /** The service took the segment. */
  taken(segmentId: number): void {
    this.#pauses.delete(segmentId);
  }
}
