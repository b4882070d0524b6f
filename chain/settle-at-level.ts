/** The one settlement that a batch has at the level of its order: which function of the escrow takes it, and with what. */
import { ASSURANCE } from '#protocol/terms.ts';
import type { MinedTransaction, TransactionCall } from './contract-access.ts';
import type { Settled } from './escrow-events.ts';
import type { EscrowContract, ProofPoints, PublishedSettlement } from './escrow.ts';

/** A batch that can be settled. */
export interface LevelSettlement extends PublishedSettlement {
  /** Of the order: 0 attested, 1 challengeable, 2 proven. */
  readonly assurance: number;
  /** Inference proofs of the paid jobs in lane order; only a proven batch needs them. */
  readonly answers: readonly ProofPoints[];
}

/** How a batch is settled. All failures are StunErrors, as of the functions of {@link EscrowContract}. */
export interface SettleAtLevel {
  /** The transaction as data. */
  readonly call: () => TransactionCall;
  /** Finds out whether the escrow would take it from a sender. */
  readonly simulate: (sender: string) => Promise<unknown>;
  /** Sends it and waits. */
  readonly send: () => Promise<MinedTransaction & { readonly event: Settled }>;
}

/** The settlement of a batch. Does not check that the level is the order's: the escrow does. */
export function settleAtLevel(escrow: EscrowContract, funder: string, batch: LevelSettlement): SettleAtLevel {
  const { assurance, proof, signals, answers } = batch;
  if (assurance === ASSURANCE.proven) {
    return {
      call: () => escrow.settleProvenCall(funder, batch, answers),
      simulate: (sender) => escrow.simulateSettleProven(sender, funder, batch, answers),
      send: () => escrow.settleProven(funder, batch, answers),
    };
  }
  if (assurance === ASSURANCE.challengeable) {
    return {
      call: () => escrow.settleChallengeableCall(funder, batch),
      simulate: (sender) => escrow.simulateSettleChallengeable(sender, funder, batch),
      send: () => escrow.settleChallengeable(funder, batch),
    };
  }
  return {
    call: () => escrow.settleCall(funder, proof, signals),
    simulate: (sender) => escrow.simulateSettle(sender, funder, proof, signals),
    send: () => escrow.settle(funder, proof, signals),
  };
}
