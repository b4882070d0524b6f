/** Error codes of the attestation area. */
import type { ErrorEntry } from './stun-error.ts';

export const attestationErrors = {} as const satisfies Record<string, ErrorEntry>;
