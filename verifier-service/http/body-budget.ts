/** Bounds the bytes of all request bodies that a process holds at a time: each may be within its limit, and many at once not. */
import { StunError } from '#protocol/errors/stun-error.ts';

const RETRY_AFTER_MS = 1000;

/** What one request holds. */
export interface HeldBytes {
  /** Counts bytes that arrived. @throws `STUN_RATE_LIMIT` when the process holds too many */
  add(bytes: number): void;
  /** Gives all of them back; what arrives later is refused. */
  release(): void;
}

/** The budget of a process. Bytes count as they arrive, so that a sender who announces much and sends little takes nothing from others. */
export class BodyBudget {
  readonly #mostBytes: number;
  #heldBytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** For the time of one request. */
  hold(): HeldBytes {
    let own = 0;
    let released = false;
    return {
      add: (bytes) => {
        if (released || this.#heldBytes + bytes > this.#mostBytes) {
          const details = { retryAfterMs: RETRY_AFTER_MS };
          throw new StunError('STUN_RATE_LIMIT', 'the service holds as many bytes of request bodies as it may', { details });
        }
        own += bytes;
        this.#heldBytes += bytes;
      },
      release: () => {
        released = true;
        this.#heldBytes -= own;
        own = 0;
      },
    };
  }
}
