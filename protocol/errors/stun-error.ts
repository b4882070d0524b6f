/**
 * The one error class of STUN and the shape of a registry entry.
 *
 * Callers match on `code`, never on the message. The registry (`registry.ts`) is closed: a code that is not in it does not
 * typecheck. Messages say what was expected and what came, never a secret and never more than 64 bytes of raw input.
 */
import type { ErrorCode } from './registry.ts';

/** Who has to act when the error is seen. */
export type ErrorActor = 'caller' | 'provider' | 'customer' | 'operator' | 'developer';

/**
 * What kind of failure it is, and by that the exit code of the command line:
 * input 1, verification 2, unavailable 3, policy 4, config 5, internal 6.
 */
export type ErrorClass = 'input' | 'verification' | 'unavailable' | 'policy' | 'config' | 'internal';

/** One row of the registry. */
export interface ErrorEntry {
  readonly class: ErrorClass;
  readonly actor: ErrorActor;
  readonly httpStatus: number;
  /** One line for the reader of the error: what it means and what to do next. */
  readonly doc: string;
}

/** Extra facts for machines: small, free of secrets, JSON-safe. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** An error with a stable code. */
export class StunError extends Error {
  override readonly name = 'StunError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /**
   * @param code - a code of the registry
   * @param reason - what was expected and what came, one sentence
   * @param options - `details` for machines, `cause` for the log
   */
  constructor(code: ErrorCode, reason: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Turns anything thrown into a StunError; what is not one becomes `STUN_INTERNAL` with the original as cause. */
export function asStunError(thrown: unknown): StunError {
  if (thrown instanceof StunError) return thrown;
  return new StunError('STUN_INTERNAL', 'an unexpected error occurred', { cause: thrown });
}
