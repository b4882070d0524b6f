/** Typed access to ChallengeCourt: stakes, challenges, answers, the outcome of challengeable batches. docs/contracts.md section 4. */
import { AbiCoder, keccak256, type ContractRunner, type TransactionReceipt } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { signalListWithPairs, type PublishedPair, type SettlementSignals } from '#protocol/terms.ts';
import { artifacts } from './artifacts.ts';
import { ContractAccess, lowerAddress, type MinedTransaction, type TransactionCall } from './contract-access.ts';
import {
  batchPaidOf,
  batchRecordedOf,
  batchRefundedOf,
  challengedOf,
  answeredOf,
  bondReturnedOf,
  pairsPublishedOf,
  stakeSlashedOf,
  type BatchPaid,
  type BatchRecorded,
  type BatchRefunded,
  type BondReturned,
  type Challenged,
  type ChallengeAnswered,
  type PairsPublished,
  type StakeSlashed,
} from './court-events.ts';
import { proofTuple, PUBLISHED_PAIRS, type ProofPoints } from './escrow.ts';
import { NATIVE_TOKEN, TokenContract } from './token.ts';

/** A provider's stake in a token, token units. `reserved` + `unbonding` <= `total`. */
export interface ProviderStake {
  readonly total: bigint;
  /** Bound to batches that are not final. */
  readonly reserved: bigint;
  /** Asked back: backs no new batch. */
  readonly unbonding: bigint;
  /** From when it can be taken; 0 when nothing is asked back. */
  readonly unbondsAtUnix: number;
}

const BATCH_STATES = ['none', 'pending', 'paid', 'refunded'] as const;
const CHALLENGE_STATES = ['none', 'open', 'answered', 'closed'] as const;

/** A settled batch of a challengeable order. */
export interface CourtBatch {
  readonly batchId: Hex;
  readonly orderKey: Hex;
  readonly provider: Hex;
  readonly settledAtUnix: number;
  readonly openChallenges: number;
  readonly state: (typeof BATCH_STATES)[number];
  /** Token units, fee included. */
  readonly amount: bigint;
}

/** A challenge of one pair. */
export interface CourtChallenge {
  readonly challenger: Hex;
  readonly challengedAtUnix: number;
  readonly state: (typeof CHALLENGE_STATES)[number];
}

/** The name of a batch in the court. */
export function batchIdOf(batch: {
  readonly orderKey: string;
  readonly provider: string;
  readonly laneIndex: number;
  readonly laneNew: bigint;
}): Hex {
  const types = ['bytes32', 'address', 'uint32', 'uint256'];
  const values = [batch.orderKey, batch.provider, batch.laneIndex, batch.laneNew];
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, values)) as Hex;
}

/** The pairs as the court takes them: sixteen inputs, then sixteen outputs. */
export function pairWords(pairs: readonly PublishedPair[]): bigint[] {
  const none = {} as SettlementSignals;
  return signalListWithPairs(none, pairs, PUBLISHED_PAIRS).slice(-2 * PUBLISHED_PAIRS);
}

/** Names an inference proof: keccak256 of its eight words in the order of the contract. */
export function proofHashOf(proof: ProofPoints): Hex {
  const words = AbiCoder.defaultAbiCoder().encode(['tuple(uint256[2] a, uint256[2][2] b, uint256[2] c)'], [proofTuple(proof)]);
  return keccak256(words) as Hex;
}

/** The challenge court. All failures are StunErrors. */
export class CourtContract {
  readonly access: ContractAccess;
  readonly #runner: ContractRunner;

  constructor(address: string, runner: ContractRunner) {
    this.access = new ContractAccess(artifacts.ChallengeCourt, address, runner);
    this.#runner = runner;
  }

  /**
   * Lets the court take `amount` of a token from the caller, for a bond or a stake, where it may not yet. Sends nothing for the native coin.
   * @param owner - the caller's own account
   */
  async allow(token: string, owner: string, amount: bigint): Promise<void> {
    if (token === NATIVE_TOKEN) return;
    const contract = new TokenContract(token, this.#runner);
    const court = this.access.address;
    if ((await contract.allowance(owner, court)) < amount) await contract.approve(court, amount);
  }

  /** Provider: adds to its stake. A token needs an allowance for the court. @throws `STUN_STAKE_AMOUNT`, `STUN_TOKEN_NOT_LISTED` */
  depositStake(token: string, amount: bigint): Promise<MinedTransaction> {
    return this.access.send('depositStake', [token, amount], token === NATIVE_TOKEN ? amount : 0n);
  }

  /** Provider: asks an amount back in place of what it asked before; 0 takes it back. @throws `STUN_STAKE_AMOUNT` */
  requestUnbond(token: string, amount: bigint): Promise<MinedTransaction> {
    return this.access.send('requestUnbond', [token, amount]);
  }

  /** Provider: credits what it asked back, after the wait; `withdraw` pays it. @throws `STUN_STAKE_AMOUNT`, `STUN_STAKE_NOT_DUE` */
  unbond(token: string): Promise<MinedTransaction> {
    return this.access.send('unbond', [token]);
  }

  /** A provider's stake in a token. */
  async stake(token: string, provider: string): Promise<ProviderStake> {
    const stake = (await this.access.read('stakeOf', [token, provider]))[0] as Record<string, unknown>;
    return {
      total: BigInt(String(stake['total'])),
      reserved: BigInt(String(stake['reserved'])),
      unbonding: BigInt(String(stake['unbonding'])),
      unbondsAtUnix: Number(stake['unbondsAt']),
    };
  }

  /** What a new batch of the provider can reserve. */
  async availableStake(token: string, provider: string): Promise<bigint> {
    return BigInt((await this.access.read('availableStakeOf', [token, provider]))[0]);
  }

  /**
   * Funder or named challenger: challenges one pair of a pending batch with exactly the bond of the terms. A token needs an allowance
   * for the court.
   * @param pairs - all pairs of the batch, see {@link pairsPublished}
   * @throws `STUN_CHALLENGE_*`, `STUN_FAMILY_*`
   */
  challenge(
    batchId: string,
    index: number,
    pairs: readonly PublishedPair[],
    bond: { readonly token: string; readonly amount: bigint },
  ): Promise<MinedTransaction> {
    const value = bond.token === NATIVE_TOKEN ? bond.amount : 0n;
    return this.access.send('challenge', [batchId, index, pairWords(pairs)], value);
  }

  /** Anybody: answers a challenge with the inference proof of its pair. @throws `STUN_CHALLENGE_*`, `STUN_INFERENCE_PROOF`, `STUN_FAMILY_*` */
  answer(batchId: string, index: number, pairs: readonly PublishedPair[], proof: ProofPoints): Promise<MinedTransaction> {
    return this.access.send('answer', [batchId, index, pairWords(pairs), proofTuple(proof)]);
  }

  /** The answer transaction as data. */
  answerCall(batchId: string, index: number, pairs: readonly PublishedPair[], proof: ProofPoints): TransactionCall {
    return this.access.encode('answer', [batchId, index, pairWords(pairs), proofTuple(proof)]);
  }

  /** Anybody: refunds a batch whose challenge nobody answered in time, and slashes. @throws `STUN_CHALLENGE_*`, `STUN_FAMILY_*` */
  refundUnanswered(batchId: string, index: number): Promise<MinedTransaction> {
    return this.access.send('refundUnanswered', [batchId, index]);
  }

  /** Anybody: pays the provider of a batch that nobody can challenge any more. @throws `STUN_CHALLENGE_*` */
  finalise(batchId: string): Promise<MinedTransaction> {
    return this.access.send('finalise', [batchId]);
  }

  /** The finalise transaction as data. */
  finaliseCall(batchId: string): TransactionCall {
    return this.access.encode('finalise', [batchId]);
  }

  /** Pays the sender's credit of bonds, slashes and stake to its payout address here. @throws `STUN_NOTHING_DUE`, `STUN_PAYOUT_FAILED` */
  withdraw(token: string): Promise<MinedTransaction> {
    return this.access.send('withdraw', [token]);
  }

  /** What an account can withdraw here: bonds, slashes, stake that was asked back. */
  async credit(token: string, account: string): Promise<bigint> {
    return BigInt((await this.access.read('creditOf', [token, account]))[0]);
  }

  /** A batch. @throws `STUN_CHALLENGE_BATCH` when the court has none of that name */
  async batch(batchId: Hex): Promise<CourtBatch> {
    const batch = (await this.access.read('batchOf', [batchId]))[0] as Record<string, unknown>;
    const state = BATCH_STATES[Number(batch['state'])]!;
    if (state === 'none') throw new StunError('STUN_CHALLENGE_BATCH', 'the court has no such batch');
    return {
      batchId,
      orderKey: String(batch['orderKey']) as Hex,
      provider: lowerAddress(batch['provider']),
      settledAtUnix: Number(batch['settledAt']),
      openChallenges: Number(batch['openChallenges']),
      state,
      amount: BigInt(String(batch['amount'])),
    };
  }

  /** A challenge; its state is `none` when nobody challenged that pair. */
  async challengeOf(batchId: string, index: number): Promise<CourtChallenge> {
    const entry = (await this.access.read('challengeOf', [batchId, index]))[0] as Record<string, unknown>;
    return {
      challenger: lowerAddress(entry['challenger']),
      challengedAtUnix: Number(entry['challengedAt']),
      state: CHALLENGE_STATES[Number(entry['state'])]!,
    };
  }

  /** The last second of a pending batch's window, as of now. @throws `STUN_CHALLENGE_BATCH` */
  async windowClosesAtUnix(batchId: string): Promise<number> {
    return Number((await this.access.read('windowClosesAt', [batchId]))[0]);
  }

  /** The last second in which an open challenge can be answered, as of now. @throws `STUN_CHALLENGE_STATE` */
  async answerableUntilUnix(batchId: string, index: number): Promise<number> {
    return Number((await this.access.read('answerableUntil', [batchId, index]))[0]);
  }

  /** Batches recorded between blocks, of one order or provider when given. */
  async batchesRecorded(
    fromBlock: number,
    filter: { readonly orderKey?: string; readonly provider?: string } = {},
  ): Promise<readonly BatchRecorded[]> {
    const indexed = [null, filter.orderKey ?? null, filter.provider ?? null];
    return (await this.access.events('BatchRecorded', indexed, fromBlock)).map(batchRecordedOf);
  }

  /** The BatchRecorded events of a mined transaction. */
  batchesIn(receipt: TransactionReceipt): readonly BatchRecorded[] {
    return this.access.eventsIn(receipt, 'BatchRecorded').map(batchRecordedOf);
  }

  /** Pairs published between blocks, of one order, provider or batch's last head when given. */
  async pairsPublished(
    fromBlock: number,
    filter: { readonly orderKey?: string; readonly provider?: string; readonly laneNew?: bigint } = {},
  ): Promise<readonly PairsPublished[]> {
    const indexed = [filter.orderKey ?? null, filter.provider ?? null, filter.laneNew ?? null];
    return (await this.access.events('PairsPublished', indexed, fromBlock)).map(pairsPublishedOf);
  }

  /** Challenges between blocks, of one batch when given. */
  async challenges(fromBlock: number, batchId: string | null = null): Promise<readonly Challenged[]> {
    return (await this.access.events('Challenged', [batchId], fromBlock)).map(challengedOf);
  }

  /** Answers between blocks, of one batch when given. */
  async answers(fromBlock: number, batchId: string | null = null): Promise<readonly ChallengeAnswered[]> {
    return (await this.access.events('ChallengeAnswered', [batchId], fromBlock)).map(answeredOf);
  }

  /** Batches whose provider was paid between blocks, one batch when given. */
  async batchesPaid(fromBlock: number, batchId: string | null = null): Promise<readonly BatchPaid[]> {
    return (await this.access.events('BatchPaid', [batchId], fromBlock)).map(batchPaidOf);
  }

  /** Batches that went back to their funder between blocks, one batch when given. */
  async batchesRefunded(fromBlock: number, batchId: string | null = null): Promise<readonly BatchRefunded[]> {
    return (await this.access.events('BatchRefunded', [batchId], fromBlock)).map(batchRefundedOf);
  }

  /** Bonds that went back between blocks because a batch ended, one batch when given. */
  async bondsReturned(fromBlock: number, batchId: string | null = null): Promise<readonly BondReturned[]> {
    return (await this.access.events('BondReturned', [batchId], fromBlock)).map(bondReturnedOf);
  }

  /** Slashes between blocks, for one batch when given. */
  async slashes(fromBlock: number, batchId: string | null = null): Promise<readonly StakeSlashed[]> {
    return (await this.access.events('StakeSlashed', [null, null, null, batchId], fromBlock)).map(stakeSlashedOf);
  }

  /** Where the court looks up the keys of models. */
  async models(): Promise<Hex> {
    return lowerAddress((await this.access.read('models', []))[0]);
  }

  /** The inference proof that an answer showed. Undefined where the answer came through another contract, whose call does not show it. */
  async answerProof(answer: ChallengeAnswered): Promise<ProofPoints | undefined> {
    const sent = await this.access.provider.getTransaction(answer.place.transactionHash);
    if (sent === null) throw new StunError('STUN_CHAIN_UNAVAILABLE', 'the node does not have the transaction of an answer');
    if (sent.to?.toLowerCase() !== this.access.address) return undefined;
    const call = this.access.interface.parseTransaction({ data: sent.data });
    if (call?.name !== 'answer') return undefined;
    const { a, b, c } = call.args.getValue('proof') as ProofPoints;
    return { a, b, c };
  }
}
