/** Typed access to OrderEscrow: orders, lanes, settlement, refunds, payouts. docs/protocol.md section 3. */
import type { ContractRunner, TransactionReceipt } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import {
  orderDomainOf,
  orderKeyOf,
  signalList,
  signalListWithPairs,
  type OrderPlace,
  type PublishedPair,
  type SettlementSignals,
  type Terms,
} from '#protocol/terms.ts';
import { artifacts } from './artifacts.ts';
import { ContractAccess, lowerAddress, type MinedTransaction, type TransactionCall } from './contract-access.ts';
import {
  openedOf,
  refundedOf,
  releasedOf,
  settledOf,
  termsTuple,
  type OrderOpened,
  type Refunded,
  type Released,
  type Settled,
} from './escrow-events.ts';
import { NATIVE_TOKEN, type PermitSignature } from './token.ts';

type Coordinates = readonly [bigint | Hex, bigint | Hex];

/** A Groth16 proof as the verifier takes it: G2 coordinates c1 before c0. A prover's proof fits as it is. */
export interface ProofPoints {
  readonly a: Coordinates;
  readonly b: readonly [Coordinates, Coordinates];
  readonly c: Coordinates;
}

/** A batch of an order above `attested`: what its proof shows, with the pairs of its jobs. */
export interface PublishedSettlement {
  readonly proof: ProofPoints;
  readonly signals: SettlementSignals;
  /** In lane order; both 0 for a job that was not paid. At most 16. */
  readonly pairs: readonly PublishedPair[];
}

/** Pairs that the proof of a settlement above `attested` publishes. */
export const PUBLISHED_PAIRS = 16;

/** What opens an order. */
export interface OrderRequest {
  readonly orderId: bigint;
  readonly token: string;
  readonly deadlineUnix: number;
  /** At least 24 hours. */
  readonly graceSeconds: number;
  readonly terms: Terms;
  /** Token units; sorted by provider here. */
  readonly budgets: readonly { readonly provider: string; readonly amount: bigint }[];
}

/** An order as the escrow stores it. */
export interface StoredOrder {
  readonly orderKey: Hex;
  readonly funder: Hex;
  readonly token: Hex;
  readonly deadlineUnix: number;
  readonly graceSeconds: number;
  readonly openedAtUnix: number;
  readonly feeBps: number;
  readonly providerCount: number;
  /** 0 attested, 1 challengeable, 2 proven. */
  readonly assurance: number;
  readonly domain: bigint;
  readonly family: Hex;
  readonly priceScale: bigint;
}

/** A provider's budget, token units. */
export interface ProviderBudget {
  readonly remaining: bigint;
  readonly funded: bigint;
}

/** The escrow. All failures are StunErrors. */
export class EscrowContract {
  readonly access: ContractAccess;

  constructor(address: string, runner: ContractRunner) {
    this.access = new ContractAccess(artifacts.OrderEscrow, address, runner);
  }

  /**
   * Opens an order of the sender. The domain is computed here from the sender, and the contract computes it again. With an ERC-20
   * the escrow needs an allowance for the sum, or `permit`.
   * @throws `STUN_ORDER_*`, `STUN_TOKEN_NOT_LISTED`, `STUN_ASSURANCE_UNAVAILABLE`, `STUN_FAMILY_*`
   */
  async open(
    place: OrderPlace,
    request: OrderRequest,
    permit?: PermitSignature,
  ): Promise<MinedTransaction & { readonly event: OrderOpened }> {
    const call = openArguments(orderDomainOf(place, request.terms), request);
    const value = BigInt(request.token) === 0n ? request.budgets.reduce((sum, one) => sum + one.amount, 0n) : 0n;
    const mined =
      permit === undefined
        ? await this.access.send('open', [call], value)
        : await this.access.send('openWithPermit', [call, permitTuple(permit)]);
    const event = this.openedIn(mined.receipt)[0];
    if (event === undefined) throw new StunError('STUN_CHAIN_DEPLOYMENT', 'opening an order emitted no OrderOpened event');
    return { ...mined, event };
  }

  /** Funder: adds to a provider's budget. `token` is the order's. */
  topUp(orderId: bigint, provider: string, amount: bigint, token: string, permit?: PermitSignature): Promise<MinedTransaction> {
    if (permit !== undefined) {
      return this.access.send('topUpWithPermit', [orderId, provider, amount, permitTuple(permit)]);
    }
    return this.access.send('topUp', [orderId, provider, amount], token === NATIVE_TOKEN ? amount : 0n);
  }

  /** The settle transaction as data, for the sender that signs it. */
  settleCall(funder: string, proof: ProofPoints, signals: SettlementSignals): TransactionCall {
    return this.access.encode('settle', settleArguments(funder, proof, signals));
  }

  /** What settling from `sender` would credit, without sending. @throws `STUN_SETTLE_*`, `STUN_ORDER_*`, `STUN_FAMILY_*` */
  async simulateSettle(sender: string, funder: string, proof: ProofPoints, signals: SettlementSignals): Promise<bigint> {
    return BigInt((await this.access.simulate('settle', settleArguments(funder, proof, signals), sender))[0]);
  }

  /** Settles a batch as the provider or its operator and waits. @throws `STUN_SETTLE_*`, `STUN_ORDER_*`, `STUN_FAMILY_*` */
  async settle(
    funder: string,
    proof: ProofPoints,
    signals: SettlementSignals,
  ): Promise<MinedTransaction & { readonly event: Settled }> {
    return this.#settled(await this.access.send('settle', settleArguments(funder, proof, signals)));
  }

  /** The settleProven transaction as data. @param answers - an inference proof for each paid pair, in lane order */
  settleProvenCall(funder: string, batch: PublishedSettlement, answers: readonly ProofPoints[]): TransactionCall {
    return this.access.encode('settleProven', settleProvenArguments(funder, batch, answers));
  }

  /** What settling a proven batch from `sender` would credit, without sending. @throws as {@link settleProven} */
  async simulateSettleProven(
    sender: string,
    funder: string,
    batch: PublishedSettlement,
    answers: readonly ProofPoints[],
  ): Promise<bigint> {
    return BigInt((await this.access.simulate('settleProven', settleProvenArguments(funder, batch, answers), sender))[0]);
  }

  /**
   * Settles a batch of a proven order and waits.
   * @param answers - an inference proof for each paid pair, in lane order
   * @throws as {@link settle}, and `STUN_INFERENCE_PROOF`, `STUN_INFERENCE_PROOF_COUNT`
   */
  async settleProven(
    funder: string,
    batch: PublishedSettlement,
    answers: readonly ProofPoints[],
  ): Promise<MinedTransaction & { readonly event: Settled }> {
    return this.#settled(await this.access.send('settleProven', settleProvenArguments(funder, batch, answers)));
  }

  /** The settleChallengeable transaction as data. */
  settleChallengeableCall(funder: string, batch: PublishedSettlement): TransactionCall {
    return this.access.encode('settleChallengeable', settlePublishedArguments(funder, batch));
  }

  /** The batch that settling from `sender` would record, zero for a batch of no money. @throws as {@link settleChallengeable} */
  async simulateSettleChallengeable(sender: string, funder: string, batch: PublishedSettlement): Promise<Hex> {
    const args = settlePublishedArguments(funder, batch);
    return String((await this.access.simulate('settleChallengeable', args, sender))[0]) as Hex;
  }

  /**
   * Settles a batch of a challengeable order and waits. What the event says to be credited waits in the challenge court.
   * @throws as {@link settle}, and `STUN_STAKE_TOO_LOW`
   */
  async settleChallengeable(funder: string, batch: PublishedSettlement): Promise<MinedTransaction & { readonly event: Settled }> {
    return this.#settled(await this.access.send('settleChallengeable', settlePublishedArguments(funder, batch)));
  }

  /** Funder: sets the deadline to the earlier of itself and now. */
  requestClose(orderId: bigint): Promise<MinedTransaction> {
    return this.access.send('requestClose', [orderId]);
  }

  /** Funder: takes back what is left of providers' budgets as credit. @throws `STUN_ORDER_NOT_REFUNDABLE`, `STUN_NOTHING_DUE` */
  refund(orderId: bigint, providers: readonly string[]): Promise<MinedTransaction> {
    return this.access.send('refund', [orderId, [...providers]]);
  }

  /** Pays the sender's credit in a token to its payout address. @throws `STUN_NOTHING_DUE`, `STUN_PAYOUT_FAILED` */
  withdraw(token: string): Promise<MinedTransaction> {
    return this.access.send('withdraw', [token]);
  }

  /** Provider: lets an address settle, never receive. */
  setOperator(operator: string, allowed: boolean): Promise<MinedTransaction> {
    return this.access.send('setOperator', [operator, allowed]);
  }

  /** Names where the sender's withdrawals go. */
  setPayoutAddress(payoutAddress: string): Promise<MinedTransaction> {
    return this.access.send('setPayoutAddress', [payoutAddress]);
  }

  /** Replaces a tombstoned family for one provider, with FamilySuccession signatures of funder and provider. */
  succeedFamily(
    funder: string,
    orderId: bigint,
    provider: string,
    newFamily: string,
    funderSignature: string,
    providerSignature: string,
  ): Promise<MinedTransaction> {
    const args = [funder, orderId, provider, newFamily, funderSignature, providerSignature];
    return this.access.send('succeedFamily', args);
  }

  /** A stored order. @throws `STUN_ORDER_UNKNOWN` */
  async order(funder: string, orderId: bigint): Promise<StoredOrder> {
    const orderKey = orderKeyOf(funder, orderId);
    const stored = (await this.access.read('orderOf', [orderKey]))[0] as Record<string, unknown>;
    if (BigInt(String(stored['funder'])) === 0n) throw new StunError('STUN_ORDER_UNKNOWN', 'the escrow has no such order');
    return {
      orderKey,
      funder: lowerAddress(stored['funder']),
      token: lowerAddress(stored['token']),
      deadlineUnix: Number(stored['deadline']),
      graceSeconds: Number(stored['graceSeconds']),
      openedAtUnix: Number(stored['openedAt']),
      feeBps: Number(stored['feeBps']),
      providerCount: Number(stored['providerCount']),
      assurance: Number(stored['assurance']),
      domain: BigInt(String(stored['domain'])),
      family: String(stored['family']) as Hex,
      priceScale: BigInt(String(stored['priceScale'])),
    };
  }

  /** A provider's budget; all 0 when it has none. */
  async budget(orderKey: string, provider: string): Promise<ProviderBudget> {
    const budget = (await this.access.read('budgetOf', [orderKey, provider]))[0] as Record<string, unknown>;
    return { remaining: BigInt(String(budget['remaining'])), funded: BigInt(String(budget['funded'])) };
  }

  /** The last settled demand head of a lane, 0 before its first settlement. */
  async lane(orderKey: string, provider: string, laneIndex: number): Promise<bigint> {
    return BigInt((await this.access.read('laneOf', [orderKey, provider, laneIndex]))[0]);
  }

  /** The family that settles a provider's work, after successions. */
  async familyFor(orderKey: string, provider: string): Promise<Hex> {
    return String((await this.access.read('familyFor', [orderKey, provider]))[0]) as Hex;
  }

  /** The last second at which a provider can settle, as of now. */
  async settleableUntilUnix(orderKey: string, provider: string): Promise<number> {
    return Number((await this.access.read('settleableUntil', [orderKey, provider]))[0]);
  }

  /** What an account can withdraw. */
  async credit(token: string, account: string): Promise<bigint> {
    return BigInt((await this.access.read('creditOf', [token, account]))[0]);
  }

  /** Where an account's withdrawals go: the address that it named, or itself. */
  async payoutAddress(account: string): Promise<Hex> {
    const named = lowerAddress((await this.access.read('payoutAddressOf', [account]))[0]);
    return BigInt(named) === 0n ? lowerAddress(account) : named;
  }

  /** Whether new orders can use a token. */
  async isListed(token: string): Promise<boolean> {
    return Boolean((await this.access.read('isListed', [token]))[0]);
  }

  /** The fee that a new order's terms must name, hundredths of a per cent. */
  async feeBps(): Promise<number> {
    return Number((await this.access.read('feeBps', []))[0]);
  }

  /** Whether an address may settle for a provider. */
  async isOperator(provider: string, operator: string): Promise<boolean> {
    return Boolean((await this.access.read('isOperator', [provider, operator]))[0]);
  }

  /** Orders opened between blocks, of one funder or with one id when given. */
  async ordersOpened(
    fromBlock: number,
    filter: { readonly funder?: string; readonly orderId?: bigint } = {},
  ): Promise<readonly OrderOpened[]> {
    const indexed = [null, filter.funder ?? null, filter.orderId ?? null];
    return (await this.access.events('OrderOpened', indexed, fromBlock)).map(openedOf);
  }

  /** Settlements between blocks, of one order or provider when given. */
  async settlements(
    fromBlock: number,
    filter: { readonly orderKey?: string; readonly provider?: string } = {},
  ): Promise<readonly Settled[]> {
    const indexed = [filter.orderKey ?? null, filter.provider ?? null];
    return (await this.access.events('Settled', indexed, fromBlock)).map(settledOf);
  }

  /** Refunds between blocks, of one order when given. */
  async refunds(fromBlock: number, orderKey: string | null = null): Promise<readonly Refunded[]> {
    return (await this.access.events('Refunded', [orderKey], fromBlock)).map(refundedOf);
  }

  /** Outcomes of challengeable batches between blocks, of one order when given. */
  async releases(fromBlock: number, orderKey: string | null = null): Promise<readonly Released[]> {
    return (await this.access.events('Released', [orderKey], fromBlock)).map(releasedOf);
  }

  /** OrderOpened events of a mined transaction. */
  openedIn(receipt: TransactionReceipt): readonly OrderOpened[] {
    return this.access.eventsIn(receipt, 'OrderOpened').map(openedOf);
  }

  /** Settled events of a mined transaction. */
  settledIn(receipt: TransactionReceipt): readonly Settled[] {
    return this.access.eventsIn(receipt, 'Settled').map(settledOf);
  }

  #settled(mined: MinedTransaction): MinedTransaction & { readonly event: Settled } {
    const event = this.settledIn(mined.receipt)[0];
    if (event === undefined) throw new StunError('STUN_CHAIN_DEPLOYMENT', 'a settlement emitted no Settled event');
    return { ...mined, event };
  }
}

/** The order argument of `open`, budgets sorted by provider as the contract demands. */
export function openArguments(domain: bigint, request: OrderRequest): readonly unknown[] {
  const budgets = request.budgets
    .toSorted((a, b) => (BigInt(a.provider) < BigInt(b.provider) ? -1 : 1))
    .map((budget) => [budget.provider, budget.amount]);
  const { orderId, token, deadlineUnix, graceSeconds, terms } = request;
  return [orderId, domain, token, deadlineUnix, graceSeconds, termsTuple(terms), budgets];
}

/** The arguments of `settle`. */
export function settleArguments(funder: string, proof: ProofPoints, signals: SettlementSignals): readonly unknown[] {
  return [funder, proofTuple(proof), signalList(signals)];
}

/** The arguments of `settleChallengeable`. */
export function settlePublishedArguments(funder: string, { proof, signals, pairs }: PublishedSettlement): readonly unknown[] {
  return [funder, proofTuple(proof), signalListWithPairs(signals, pairs, PUBLISHED_PAIRS)];
}

/** The arguments of `settleProven`. */
export function settleProvenArguments(
  funder: string,
  batch: PublishedSettlement,
  answers: readonly ProofPoints[],
): readonly unknown[] {
  return [...settlePublishedArguments(funder, batch), answers.map(proofTuple)];
}

/** A proof as the contracts' tuple. */
export function proofTuple({ a, b, c }: ProofPoints): readonly unknown[] {
  return [a, b, c];
}

function permitTuple(permit: PermitSignature): readonly unknown[] {
  return [permit.value, permit.deadlineUnix, permit.v, permit.r, permit.s];
}
