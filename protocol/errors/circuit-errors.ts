/** Error codes of the circuit area. */
import type { ErrorEntry } from './stun-error.ts';

export const circuitErrors = {
  STUN_CIRCUIT_UNKNOWN: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'No circuit has this name. circuits/circuits.json lists the names.',
  },
  STUN_CIRCUIT_COMPILE: {
    class: 'internal',
    actor: 'developer',
    httpStatus: 500,
    doc: 'The circom compiler refused a circuit. The reason carries its message; run the build command of docs/circuits.md alone.',
  },
  STUN_CIRCUIT_R1CS: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 500,
    doc: 'A constraint file is not what circom writes for BN254, or does not have the public signals that were declared.',
  },
  STUN_CIRCUIT_ARTEFACT: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 500,
    doc: 'A cached circuit artefact does not have the hash of its manifest. Delete .stun/circuits and build again.',
  },
  STUN_CIRCUIT_LOCK: {
    class: 'unavailable',
    actor: 'operator',
    httpStatus: 503,
    doc: 'Another process has been building the same circuit for too long. Wait for it, or stop it and delete the lock the reason names.',
  },
  STUN_CIRCUIT_INPUT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'A segment cannot be put into a settlement circuit: no job, more jobs than places, or signals of the wrong number.',
  },
  STUN_CIRCUIT_UNSATISFIED: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'A segment breaks a rule of the settlement circuit, so no proof of it exists. The reason names the template and line.',
  },
  STUN_CIRCUIT_FORGEABLE_KEY: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 500,
    doc: 'A verification key has gamma equal to delta, so anyone could forge proofs. Use a key with a phase-2 contribution.',
  },
  STUN_CIRCUIT_STALE_VERIFIER: {
    class: 'verification',
    actor: 'developer',
    httpStatus: 500,
    doc: 'A generated Solidity verifier differs from what the circuit gives now. Run the build command with --write and commit.',
  },
} as const satisfies Record<string, ErrorEntry>;
