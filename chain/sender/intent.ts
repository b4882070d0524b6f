/**
 * A transaction that shall happen once: what a sender stores before it acts, so that it may be killed at any line.
 *
 *     intended → signed → broadcast → mined → confirmed
 *        ↑________________|  ↑__________|
 *        nonce taken by another    re-organisation
 *
 * and `failed` from intended (the call would revert) or mined (it reverted). Amounts are decimal strings of wei: an intent is plain
 * JSON, one column of a database.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';

export const INTENT_STATES = ['intended', 'signed', 'broadcast', 'mined', 'confirmed', 'failed'] as const;
export type IntentState = (typeof INTENT_STATES)[number];

/** A signed transaction; all attempts of an intent at a time have the same nonce, so at most one of them lands. */
export interface SignedAttempt {
  readonly transactionHash: string;
  /** The signed bytes, hex: sent again as they are. Not secret, they are about to be public. */
  readonly raw: string;
  readonly maxFeePerGasWei: string;
  readonly maxPriorityFeePerGasWei: string;
  readonly signedAtMs: number;
}

/** Where a transaction stands in the chain. */
export interface MinedPlace {
  readonly transactionHash: string;
  readonly blockHash: string;
  readonly blockNumber: number;
  readonly reverted: boolean;
  readonly gasUsed: string;
}

/** How an intent ended well: by its own transaction, or because its effect was on chain without it. */
export type Outcome =
  | { readonly by: 'transaction'; readonly transactionHash: string; readonly blockNumber: number; readonly gasUsed: string }
  | { readonly by: 'already-done'; readonly blockNumber: number };

/** One intent as it is stored. */
export interface Intent {
  /** Idempotency key, chosen by the caller: the same key is never sent twice. */
  readonly key: string;
  readonly chainId: number;
  /** Sending account, lower-case. */
  readonly account: string;
  /** Order of submission within the account, from 1. */
  readonly sequence: number;
  /** Counts the stored versions: a store takes version n + 1 only over version n. */
  readonly revision: number;
  readonly call: { readonly to: string; readonly data: string; readonly valueWei: string };
  /** The caller's own words about the call, JSON or anything: handed back to its `isDone` after a restart. No secret. */
  readonly context: string;
  /** `gap-filler`: an empty transaction to the account itself that the sender makes to close a hole in its nonces. */
  readonly kind: 'call' | 'gap-filler';
  readonly state: IntentState;
  /** Set from `signed` on, and for a gap filler from the start. */
  readonly nonce: number | null;
  readonly gasLimit: string | null;
  /** Newest last. */
  readonly attempts: readonly SignedAttempt[];
  /** When the node first took the newest attempt. */
  readonly broadcastAtMs: number | null;
  /** How often another transaction took the nonce. */
  readonly replacedCount: number;
  readonly mined: MinedPlace | null;
  readonly outcome: Outcome | null;
  readonly failure: { readonly code: ErrorCode; readonly reason: string } | null;
  /** Why the intent does not move right now, for people; null when it does. */
  readonly waitingFor: string | null;
}

/** Whether nothing will happen to an intent any more. */
export function isFinal(intent: Intent): boolean {
  return intent.state === 'confirmed' || intent.state === 'failed';
}
