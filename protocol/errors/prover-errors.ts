/** Error codes of the prover area. */
import type { ErrorEntry } from './stun-error.ts';

export const proverErrors = {} as const satisfies Record<string, ErrorEntry>;
