/** Error codes of the prover area. */
import type { ErrorEntry } from './stun-error.ts';

export const proverErrors = {
  STUN_PROVER_BUSY: {
    class: 'unavailable',
    actor: 'caller',
    httpStatus: 503,
    doc: 'The prover has as many waiting tasks as it may. Try again after `retryAfterMs`, or add threads or provers.',
  },
  STUN_PROVER_ABORTED: {
    class: 'unavailable',
    actor: 'caller',
    httpStatus: 499,
    doc: 'The caller took the task back before it was proved. Nothing was sent; submit it again when it is wanted.',
  },
  STUN_PROVER_CLOSED: {
    class: 'unavailable',
    actor: 'operator',
    httpStatus: 503,
    doc: 'The prover is shutting down and takes no task. The durable queue gives the task to another prover.',
  },
  STUN_PROVER_TIMEOUT: {
    class: 'unavailable',
    actor: 'operator',
    httpStatus: 504,
    doc: 'A proof took longer than the limit, twice, on fresh threads. Raise the limit or use a faster machine or a smaller circuit.',
  },
  STUN_PROVER_MEMORY: {
    class: 'unavailable',
    actor: 'operator',
    httpStatus: 503,
    doc: 'Keys, threads and one proof do not fit the memory limit, or a thread ran out of it twice. Raise the limit or use fewer threads.',
  },
  STUN_PROVER_CRASHED: {
    class: 'internal',
    actor: 'operator',
    httpStatus: 500,
    doc: 'A proving thread or process ended in the middle of this task, again and again. The task was given up alone; look at the log of the prover.',
  },
  STUN_PROVER_KEY: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 500,
    doc: 'A proving key or witness program does not have the hash of its manifest, or is damaged. Delete the artefact and build it again.',
  },
  STUN_PROOF_FAMILY: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'The prover has no circuit of the family that the order or the proof names. Use a prover that loads this circuit.',
  },
  STUN_PROOF_ROOT: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The enclave leaf of the bundle is not under the given root. Read the path from the registry again.',
  },
  STUN_PROOF_VALID_AT: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The enclave leaf has expired at the time the proof would claim. Nothing of this leaf can settle any more.',
  },
  STUN_PROOF_WITNESS: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 500,
    doc: 'Proving key and witness program are not of one circuit. Delete the artefacts of the circuit and build them again.',
  },
  STUN_PROOF_INVALID: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 422,
    doc: 'A proof does not verify, or speaks of other signals than expected. It was not released; do not submit it.',
  },
} as const satisfies Record<string, ErrorEntry>;
