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
    doc: 'A constraint file is not what circom writes for BN254, or does not have the public signals that were declared. Build the circuit again with the pinned compiler.',
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
    doc: 'A segment breaks a rule of the settlement circuit, so no proof of it exists. The reason names the signals of the broken constraint, or template and line.',
  },
  STUN_CIRCUIT_WITNESS: {
    class: 'internal',
    actor: 'developer',
    httpStatus: 500,
    doc: 'A wire of a circuit does not follow from its inputs by the rules of circuits/witness. The reason names the constraint; write the hint so that a rule knows it, or add a rule.',
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
  STUN_MODEL_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'A model file is not ONNX as this compiler reads it: malformed, too large, cyclic, with data outside the file, or with weights that are not finite. The reason names the place.',
  },
  STUN_MODEL_OPERATOR: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'A model uses an operator, an attribute or an operator set that cannot be compiled. The reason names operator and node; docs/proven-inference.md lists what can.',
  },
  STUN_MODEL_MISREAD: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'onnxruntime gives another label or score for a model file than this compiler understood, beyond what float32 rounds, or cannot run it. Nothing was written; export the model with other operators and report the file.',
  },
  STUN_MODEL_BOUNDS: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'An accumulator of a compiled model may leave 32 bits, so its arithmetic could wrap. Use fewer weight bits or smaller layers.',
  },
  STUN_MODEL_UNSOUND: {
    class: 'internal',
    actor: 'developer',
    httpStatus: 500,
    doc: 'A wire of a circuit that was just compiled can be changed without any constraint noticing, so no key was made and nothing was written. Report the model: the compiler has a defect.',
  },
  STUN_MODEL_CALIBRATION: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'Rows do not fit the model: another width, no number, a label that is no class of it, too few rows. The reason names row and column.',
  },
  STUN_MODEL_ADOPTED: {
    class: 'input',
    actor: 'caller',
    httpStatus: 409,
    doc: 'The folder of a compiled model has a key of a ceremony already. Adopt another into the folder that `stun model compile` wrote.',
  },
  STUN_MODEL_INPUT_RANGE: {
    class: 'input',
    actor: 'customer',
    httpStatus: 422,
    doc: 'An input of a compiled model has another number of elements or an element outside its declared range, or a raw value lies beyond the calibrated range. Quantise it as the manifest says; `stun model quantise --cut-off` takes the nearest value in range.',
  },
} as const satisfies Record<string, ErrorEntry>;
