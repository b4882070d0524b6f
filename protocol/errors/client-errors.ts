/** Error codes of the client area. */
import type { ErrorEntry } from './stun-error.ts';

export const clientErrors = {} as const satisfies Record<string, ErrorEntry>;
