/** The steps between the states of an intent, as pure functions: each gives the next version to store. */
import type { StunError } from '#protocol/errors/stun-error.ts';
import type { Intent, MinedPlace, SignedAttempt } from './intent.ts';

type Change = Partial<Omit<Intent, 'key' | 'revision' | 'sequence' | 'account' | 'chainId' | 'call' | 'context' | 'kind'>>;

function next(intent: Intent, change: Change): Intent {
  return { ...intent, waitingFor: null, ...change, revision: intent.revision + 1 };
}

/** A signature is stored before anybody sees it. `attempt` is the first at this nonce or a raise of the one before. */
export function signed(intent: Intent, nonce: number, gasLimit: bigint, attempt: SignedAttempt): Intent {
  return next(intent, {
    state: 'signed',
    nonce,
    gasLimit: gasLimit.toString(),
    attempts: [...intent.attempts, attempt],
    broadcastAtMs: null,
  });
}

/** The node has the newest attempt; the time of the first time counts. */
export function broadcast(intent: Intent, nowMs: number): Intent {
  return next(intent, { state: 'broadcast', broadcastAtMs: intent.broadcastAtMs ?? nowMs });
}

/** An attempt is in a block. */
export function mined(intent: Intent, place: MinedPlace): Intent {
  return next(intent, { state: 'mined', mined: place });
}

/** The block with the attempt left the chain: the same bytes go out again. */
export function unmined(intent: Intent): Intent {
  return next(intent, { state: 'signed', mined: null, broadcastAtMs: null });
}

/** Another transaction took the nonce for good, so no attempt so far can land any more. */
export function replaced(intent: Intent): Intent {
  return next(intent, {
    state: 'intended',
    nonce: null,
    gasLimit: null,
    attempts: [],
    broadcastAtMs: null,
    replacedCount: intent.replacedCount + 1,
  });
}

/** Its own transaction did it, deep enough. */
export function confirmed(intent: Intent, place: MinedPlace): Intent {
  const { transactionHash, blockNumber, gasUsed } = place;
  return next(intent, { state: 'confirmed', outcome: { by: 'transaction', transactionHash, blockNumber, gasUsed } });
}

/** The effect is on chain, deep enough, whoever made it. */
export function alreadyDone(intent: Intent, blockNumber: number): Intent {
  return next(intent, { state: 'confirmed', outcome: { by: 'already-done', blockNumber } });
}

/** The contract refuses the call. It is not tried again. */
export function failed(intent: Intent, error: StunError): Intent {
  return next(intent, { state: 'failed', failure: { code: error.code, reason: error.message } });
}

/** Nothing moves, and why. */
export function waiting(intent: Intent, reason: string): Intent {
  return next(intent, { waitingFor: reason });
}
