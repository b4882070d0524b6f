/** The list of checks an audit makes, with the fields of the bundle that each one binds. */
import type { TrustRoot } from '#attestation/index.ts';
import { asStunError, StunError, type ErrorCode } from '#protocol/index.ts';

/** What the auditor brings along. */
export interface AuditTrust {
  readonly roots: readonly TrustRoot[];
  /** Attestors whose word counts; without any, the quorum stays unknown. */
  readonly attestors: readonly string[];
  readonly threshold: number;
}

/** One line of a report. */
export interface AuditCheck {
  readonly id: string;
  readonly status: 'proven' | 'refuted' | 'unknown';
  /** Where in the bundle: the place that failed, as a path. */
  readonly field?: string;
  /** Paths whose values this check binds together; on a refusal the wrong value is under one of them. */
  readonly binds: readonly string[];
  readonly code?: ErrorCode;
  readonly reason?: string;
}

/** What a check of many fields binds, and where it stands. */
export interface CheckPlace {
  readonly id: string;
  /** The path to name when the check fails and the error itself names none. */
  readonly field: string;
  readonly binds: readonly string[];
}

/** Collects checks in the order in which they are first spoken of. */
export class AuditLedger {
  readonly #checks: AuditCheck[] = [];

  /** Makes a check. @returns what `body` returns; undefined when it was refuted, and everything that needs it stays unknown */
  check<T>({ id, field, binds }: CheckPlace, body: () => T): T | undefined {
    try {
      const value = body();
      this.#say({ id, status: 'proven', binds });
      return value;
    } catch (thrown) {
      this.#fail({ id, field, binds }, thrown);
      return undefined;
    }
  }

  /** The same for a check that asks somebody. */
  async checkAsync<T>({ id, field, binds }: CheckPlace, body: () => Promise<T>): Promise<T | undefined> {
    try {
      const value = await body();
      this.#say({ id, status: 'proven', binds });
      return value;
    } catch (thrown) {
      this.#fail({ id, field, binds }, thrown);
      return undefined;
    }
  }

  #fail({ id, field, binds }: CheckPlace, thrown: unknown): void {
    if (thrown instanceof LeftOpen) return this.unknown(id, thrown.message);
    const error = asStunError(thrown);
    // Being unable to ask is not an answer.
    const status = error.code === 'STUN_CHAIN_UNAVAILABLE' ? 'unknown' : 'refuted';
    return this.#say({ id, status, field, binds, code: error.code, reason: error.message });
  }

  /** Whoever is asked later may know what was left open before: its word stands in that place. */
  #say(check: AuditCheck): void {
    const open = this.#checks.findIndex(({ id, status }) => id === check.id && status === 'unknown');
    if (open < 0) this.#checks.push(check);
    else this.#checks[open] = check;
  }

  /** Records that a check could not be made, and why. @param binds - paths that the bundle alone does not tell from others */
  unknown(id: string, reason: string, binds: readonly string[] = []): void {
    this.#say({ id, status: 'unknown', binds, reason });
  }

  /** Whether anything was refuted so far. */
  get refuted(): boolean {
    return this.#checks.some((check) => check.status === 'refuted');
  }

  list(): readonly AuditCheck[] {
    return this.#checks;
  }
}

/** Fails a check. */
export function refute(reason: string, code: ErrorCode = 'STUN_AUDIT_REFUTED'): never {
  throw new StunError(code, reason);
}

/** Why a check can be neither made nor failed. */
class LeftOpen extends Error {
  override readonly name = 'LeftOpen';
}

/** Ends a check that nobody can make, and says why. */
export function leaveOpen(reason: string): never {
  throw new LeftOpen(reason);
}
