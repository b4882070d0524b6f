/**
 * The closed registry of error codes: code -> class, who acts, HTTP status, documentation line.
 * Each table belongs to one area; a code stands in exactly one of them.
 */
import type { ErrorClass, ErrorEntry } from './stun-error.ts';
import { attestationErrors } from './attestation-errors.ts';
import { ceremonyErrors } from './ceremony-errors.ts';
import { chainErrors } from './chain-errors.ts';
import { challengeErrors } from './challenge-errors.ts';
import { circuitErrors } from './circuit-errors.ts';
import { clientErrors } from './client-errors.ts';
import { commonErrors } from './common-errors.ts';
import { jobErrors } from './job-errors.ts';
import { proverErrors } from './prover-errors.ts';
import { serviceErrors } from './service-errors.ts';
import { workerErrors } from './worker-errors.ts';

export { asStunError } from './stun-error.ts';

/** Every table by the area that owns it. */
export const errorTables = {
  common: commonErrors,
  attestation: attestationErrors,
  job: jobErrors,
  circuit: circuitErrors,
  ceremony: ceremonyErrors,
  chain: chainErrors,
  challenge: challengeErrors,
  prover: proverErrors,
  worker: workerErrors,
  service: serviceErrors,
  client: clientErrors,
} as const;

/** All codes with their entries. Marked as free of effects, so that a bundle that looks no code up carries no table. */
export const errorRegistry = /* @__PURE__ */ (() => ({
  ...commonErrors,
  ...attestationErrors,
  ...jobErrors,
  ...circuitErrors,
  ...ceremonyErrors,
  ...chainErrors,
  ...challengeErrors,
  ...proverErrors,
  ...workerErrors,
  ...serviceErrors,
  ...clientErrors,
}))() satisfies Record<string, ErrorEntry>;

/** The closed union of codes. */
export type ErrorCode = keyof typeof errorRegistry;

const exitCodes: Record<ErrorClass, number> = {
  input: 1,
  verification: 2,
  unavailable: 3,
  policy: 4,
  config: 5,
  internal: 6,
};

/** The registry entry of a code. */
export function errorEntry(code: ErrorCode): ErrorEntry {
  return errorRegistry[code];
}

/** The exit code of the command line for a code: 1 input, 2 verification, 3 unavailable, 4 policy, 5 configuration, 6 internal. */
export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[errorRegistry[code].class];
}

/** Whether a string is a code of the registry. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorRegistry, code);
}
