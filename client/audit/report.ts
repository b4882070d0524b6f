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

/** Collects checks in the order in which they are made. */
export class AuditLedger {
  readonly #checks: AuditCheck[] = [];

  /** Makes a check. @returns what `body` returns; undefined when it was refuted, and everything that needs it stays unknown */
  check<T>({ id, field, binds }: CheckPlace, body: () => T): T | undefined {
    try {
      const value = body();
      this.#checks.push({ id, status: 'proven', binds });
      return value;
    } catch (thrown) {
      this.#refute({ id, field, binds }, asStunError(thrown));
      return undefined;
    }
  }

  /** The same for a check that asks somebody. */
  async checkAsync<T>({ id, field, binds }: CheckPlace, body: () => Promise<T>): Promise<T | undefined> {
    try {
      const value = await body();
      this.#checks.push({ id, status: 'proven', binds });
      return value;
    } catch (thrown) {
      this.#refute({ id, field, binds }, asStunError(thrown));
      return undefined;
    }
  }

  #refute({ id, field, binds }: CheckPlace, error: StunError): void {
    // Being unable to ask is not an answer.
    const status = error.code === 'STUN_CHAIN_UNAVAILABLE' ? 'unknown' : 'refuted';
    this.#checks.push({ id, status, field, binds, code: error.code, reason: error.message });
  }

  /** Records that a check could not be made, and why. */
  unknown(id: string, reason: string): void {
    this.#checks.push({ id, status: 'unknown', binds: [], reason });
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
