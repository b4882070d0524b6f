/** Error codes of the circuit area. */
import type { ErrorEntry } from './stun-error.ts';

export const circuitErrors = {} as const satisfies Record<string, ErrorEntry>;
