/**
 * What the service needs of the rest, as narrow as it needs it. The parts behind are opened in main.ts: chain/ for the chain and the
 * transaction sender, prover/interface.ts for proofs.
 */
import type { CourtBatch, CourtChallenge } from '#chain/court.ts';
import type { RegisteredLeaf, EnclaveInfo, EnclavePath } from '#chain/registry.ts';
import type { ProviderBudget, StoredOrder } from '#chain/escrow.ts';
import type { Refunded, Settled } from '#chain/escrow-events.ts';
import type { Hex } from '#protocol/bytes.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { PublishedPair } from '#protocol/terms.ts';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import type { SettlementProof } from '#prover/interface.ts';

/** A block. */
export interface BlockView {
  readonly number: number;
  readonly hash: string;
  readonly timestampUnix: number;
}

/** The chain as the service reads it. All failures are StunErrors; a node that does not answer is `STUN_CHAIN_UNAVAILABLE`. */
export interface ChainView {
  readonly chainId: number;
  /** Lower-case addresses. */
  readonly escrow: string;
  readonly registry: string;
  /** The block before which no event of the deployment stands. */
  readonly deployBlock: number;
  /** Ids of the settlement families of the deployment. */
  readonly families: readonly string[];
  newestBlock(): Promise<BlockView>;
  /** A block of the current chain by number or hash; undefined when there is none such. */
  block(which: number | string): Promise<BlockView | undefined>;
  order(funder: string, orderId: bigint): Promise<StoredOrder>;
  budget(orderKey: string, provider: string): Promise<ProviderBudget>;
  lane(orderKey: string, provider: string, laneIndex: number): Promise<bigint>;
  enclave(keysetDigest: string): Promise<EnclaveInfo>;
  leaf(keysetDigest: string, policyId: bigint): Promise<RegisteredLeaf>;
  path(provider: string, index: number): Promise<EnclavePath>;
  /** Whether a root can be settled against now: its life is stretched by the freezes of the families. */
  isLiveRoot(provider: string, root: bigint, families: readonly string[]): Promise<boolean>;
  /** The family that settles a provider's work, after successions. */
  familyFor(orderKey: string, provider: string): Promise<Hex>;
  isFrozen(family: string): Promise<boolean>;
  /** Seconds that families were frozen between a time and now, added up as the escrow does. */
  frozenSeconds(families: readonly string[], sinceUnix: number): Promise<number>;
  /** What a new batch of the provider can reserve. */
  availableStake(token: string, provider: string): Promise<bigint>;
  /** Settlements, refunds and orders whose deadline moved, both blocks included. */
  settlements(fromBlock: number, toBlock: number): Promise<readonly Settled[]>;
  refunds(fromBlock: number, toBlock: number): Promise<readonly Refunded[]>;
  closings(fromBlock: number, toBlock: number): Promise<readonly { readonly orderKey: string; readonly deadlineUnix: number }[]>;
  /** The last second at which the provider can settle, as of now: deadline, grace and the freezes so far. */
  settleableUntilUnix(orderKey: string, provider: string): Promise<number>;
  /** A batch of a challengeable order. @throws `STUN_CHALLENGE_BATCH` */
  batch(batchId: Hex): Promise<CourtBatch>;
  challenge(batchId: Hex, index: number): Promise<CourtChallenge>;
  /** The last second of a pending batch's window, as of now. */
  windowClosesAtUnix(batchId: Hex): Promise<number>;
  topUps(fromBlock: number, toBlock: number): Promise<readonly { readonly orderKey: string; readonly provider: string }[]>;
}

/** What became of a settlement that was handed to the sender. */
export type SendOutcome =
  | { readonly state: 'pending' }
  | { readonly state: 'done' }
  | { readonly state: 'refused'; readonly code: ErrorCode; readonly reason: string };

/** A settlement to send. */
export interface SettlementToSend {
  /** Idempotency key: the same key is never sent twice. */
  readonly key: string;
  readonly funder: string;
  readonly orderKey: string;
  readonly proof: SettlementProof;
  /** Of the order: 0 attested, 1 challengeable, 2 proven. */
  readonly assurance: number;
  /** Inference proofs of the paid jobs in lane order; only a proven order needs them. */
  readonly answers: readonly ProofPoints[];
}

/** A challenge to answer. */
export interface AnswerToSend {
  readonly batchId: string;
  readonly index: number;
  /** Of the batch's jobs in lane order. */
  readonly pairs: readonly PublishedPair[];
  readonly proof: ProofPoints;
  /** A name for this try: the same try is sent once. */
  readonly attempt: string;
}

/** Sends settlements: durable, each key once, whatever happens to process, node and chain. */
export interface SettlementSender {
  /** Stores what shall be sent. The same key again is the same settlement. */
  submit(settlement: SettlementToSend): Promise<void>;
  /** Stores the answer to a challenge. */
  answer(answer: AnswerToSend): Promise<void>;
  /** Stores the end of a batch that nobody can challenge any more. @param attempt - as of an answer */
  finalise(batchId: string, attempt: string): Promise<void>;
  /** How a key stands; undefined for one that was never submitted. */
  outcome(key: string): Promise<SendOutcome | undefined>;
  /** @throws what keeps everything from being sent: the account belongs to another process, or has no money; not that the node is down */
  assertSending(): void;
  close(): Promise<void>;
}
