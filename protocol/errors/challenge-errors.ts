/** Error codes of orders above `attested`: inference proofs, challenges, stakes. */
import type { ErrorEntry } from './stun-error.ts';

export const challengeErrors = {
  STUN_SETTLE_ASSURANCE: {
    class: 'input',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The order has another assurance level than this settlement is for. Settle it with the function of its level.',
  },
  STUN_INFERENCE_PROOF: {
    class: 'verification',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The inference proof does not show that the model of the order gives this output on this input. Prove exactly the pair of the job.',
  },
  STUN_INFERENCE_PROOF_COUNT: {
    class: 'input',
    actor: 'provider',
    httpStatus: 422,
    doc: 'A proven batch needs one inference proof for each paid job, in lane order, and no other. Make the missing proofs, or cut the segment before the first job without one.',
  },
  STUN_ANSWER_DISAGREES: {
    class: 'verification',
    actor: 'customer',
    httpStatus: 422,
    doc: 'A settled answer is not what the compiled model of the order gives on the own input. Challenge it inside the window, with stun challenge JOB or stun challenge watch. Where the challenge was answered with a proof, the model or its key is broken: open no more orders over it.',
  },
  STUN_ANSWER_UNKNOWN: {
    class: 'verification',
    actor: 'customer',
    httpStatus: 422,
    doc: 'A settled answer is to a job that this store does not hold, so nobody here can say whether it is right. Run the check with the store that sent the job.',
  },
  STUN_ANSWER_WITHHELD: {
    class: 'verification',
    actor: 'customer',
    httpStatus: 422,
    doc: 'A settled answer is not the right one under the blinding that the customer chose, and its result cannot be opened. A challenge may win, or be answered and cost the bond: allow it with --challenge-withheld, and send this provider nothing more.',
  },
  STUN_CHALLENGE_BATCH: {
    class: 'input',
    actor: 'caller',
    httpStatus: 409,
    doc: 'The court has no such batch that is still pending: it was paid or refunded, or never settled. Read its state first.',
  },
  STUN_CHALLENGE_PAIR: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'The pairs are not those that the settlement published, or nothing was paid for the one at this index. Take them from its event.',
  },
  STUN_CHALLENGE_CALLER: {
    class: 'policy',
    actor: 'caller',
    httpStatus: 403,
    doc: 'Only the funder of the order, or the challenger that its terms name, can challenge. Send it from one of these accounts.',
  },
  STUN_CHALLENGE_BOND: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'A challenge needs exactly the bond of the terms of the order. Send that amount.',
  },
  STUN_CHALLENGE_WINDOW: {
    class: 'policy',
    actor: 'caller',
    httpStatus: 409,
    doc: 'The challenge window of the batch has passed; the provider will be paid. Keep a watch running next time: stun challenge watch.',
  },
  STUN_CHALLENGE_STATE: {
    class: 'input',
    actor: 'caller',
    httpStatus: 409,
    doc: 'The pair was challenged already, or no challenge of it is open. A pair can be challenged once.',
  },
  STUN_CHALLENGE_PENDING: {
    class: 'policy',
    actor: 'caller',
    httpStatus: 409,
    doc: 'The batch cannot end yet: its window or an answer period runs, or a challenge is open. The details carry the time.',
  },
  STUN_CHALLENGE_LATE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 409,
    doc: 'The answer period of the challenge is over. The batch can only be refunded now.',
  },
  STUN_STAKE_AMOUNT: {
    class: 'input',
    actor: 'provider',
    httpStatus: 422,
    doc: 'The amount of stake is zero, too large, or more than what is neither reserved nor asked back. Read stun stake show, and ask for an amount within it.',
  },
  STUN_STAKE_TOO_LOW: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 409,
    doc: 'The stake that is not reserved is below the slash of the order. Deposit more, or wait until earlier batches are final.',
  },
  STUN_STAKE_NOT_DUE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 409,
    doc: 'The stake that was asked back must wait seven days. The details carry the time.',
  },
} as const satisfies Record<string, ErrorEntry>;
