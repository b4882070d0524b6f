/** Error codes of the service area. */
import type { ErrorEntry } from './stun-error.ts';

export const serviceErrors = {} as const satisfies Record<string, ErrorEntry>;
