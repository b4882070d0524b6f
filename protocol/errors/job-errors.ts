/** Error codes of the job area. */
import type { ErrorEntry } from './stun-error.ts';

export const jobErrors = {} as const satisfies Record<string, ErrorEntry>;
