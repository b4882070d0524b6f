/** Error codes of the chain area. */
import type { ErrorEntry } from './stun-error.ts';

export const chainErrors = {} as const satisfies Record<string, ErrorEntry>;
