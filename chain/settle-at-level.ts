/** The one settlement that a batch has at the level of its order: which function of the escrow takes it, and with what. */
import { fieldFromHex } from '#protocol/field.ts';
import { ASSURANCE, pairsOfSignals, SETTLEMENT_SIGNALS, type SettlementSignals } from '#protocol/terms.ts';
import type { ProofPoints as WireProof } from '#protocol/wire/proof-points.ts';
import type { MinedTransaction, TransactionCall } from './contract-access.ts';
import type { Settled } from './escrow-events.ts';
import type { EscrowContract, ProofPoints, PublishedSettlement } from './escrow.ts';
import { proofToChain } from './proof-forms.ts';

/** A batch that can be settled. */
export interface LevelSettlement extends PublishedSettlement {
  /** Of the order: 0 attested, 1 challengeable, 2 proven. */
  readonly assurance: number;
  /** Inference proofs of the paid jobs in lane order; only a proven batch needs them. */
  readonly answers: readonly ProofPoints[];
}

function signalsOf(signals: readonly string[]): SettlementSignals {
  const entries = SETTLEMENT_SIGNALS.map((name, i) => [name, fieldFromHex(signals[i] ?? '', name)]);
  return Object.fromEntries(entries) as SettlementSignals;
}

/**
 * What settles a segment at the level of its order, from a proof as a prover gives it.
 * @param proof - points and signals in wire form
 * @param answers - inference proofs of the paid jobs in lane order
 * @throws `STUN_INPUT` for a word that is none
 */
export function levelSettlementOf({
  proof,
  assurance,
  answers,
}: {
  readonly proof: WireProof & { readonly signals: readonly string[] };
  readonly assurance: number;
  readonly answers: readonly WireProof[];
}): LevelSettlement {
  return {
    assurance,
    proof: proofToChain(proof),
    signals: signalsOf(proof.signals),
    pairs: pairsOfSignals(proof.signals.map((signal) => fieldFromHex(signal))),
    answers: answers.map(proofToChain),
  };
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
