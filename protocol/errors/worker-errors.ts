/** Error codes of the worker area. */
import type { ErrorEntry } from './stun-error.ts';

export const workerErrors = {} as const satisfies Record<string, ErrorEntry>;
