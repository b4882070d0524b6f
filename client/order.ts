/** Orders on chain: open, look at, top up, close, refund. The opening is stored before the transaction leaves. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  generateEddsaKeyPair,
  orderDomainOf,
  orderIdOf,
  orderKeyOf,
  randomField,
  StunError,
  utf8,
  policyIdOf,
  type OrderOpening,
  type Terms,
} from '#protocol/index.ts';
import { canonicalPolicyJson, type Policy } from '#attestation/index.ts';
import { lowerAddress, minedOf, type MinedTransaction } from '#chain/contract-access.ts';
import type { Settled } from '#chain/escrow-events.ts';
import type { StoredOrder } from '#chain/escrow.ts';
import { NATIVE_TOKEN, type PermitSignature } from '#chain/token.ts';
import type { ClientConnection } from './connection.ts';
import { levelTerms, type LevelPlan } from './order-level.ts';
import type { OrderRecord, ProviderBudget } from './store/order-record.ts';

const PERMIT_LIFE_SECONDS = 3600;
const PENDING_POLL_MS = 500;

/** What the customer decides about an order. */
export interface OrderPlan extends LevelPlan {
  readonly policy: Policy;
  readonly budgets: readonly ProviderBudget[];
  /** `0x0…0` for the native coin. */
  readonly token: string;
  readonly deadlineUnix: number;
  /** At least 24 hours. */
  readonly graceSeconds: number;
  /** Token units per price unit. */
  readonly priceScale: bigint;
}

/** An order that is on chain. */
export interface OpenedOnChain {
  readonly order: OrderRecord;
  readonly transaction: MinedTransaction;
}

/**
 * Makes keys, salt and seed, stores the order, and opens it on chain.
 * @throws `STUN_ORDER_*`, `STUN_TOKEN_NOT_LISTED`, `STUN_FAMILY_*`, `STUN_CHAIN_*`, and the codes of {@link levelTerms}
 */
export async function openOrder(client: ClientConnection, plan: OrderPlan): Promise<OpenedOnChain> {
  const { contracts, chainId } = client;
  const funder = lowerAddress(await client.signer().getAddress());
  const place = { chainId, escrow: contracts.escrow.access.address, funder, token: lowerAddress(plan.token) };
  const terms: Terms = {
    ...(await levelTerms(contracts, plan)),
    segmentLength: plan.segmentLength,
    feeBps: await contracts.escrow.feeBps(),
    priceScale: plan.priceScale,
  };
  const demandKey = generateEddsaKeyPair();
  const policyText = canonicalPolicyJson(plan.policy);
  const opening: OrderOpening = {
    domain: orderDomainOf(place, terms),
    demandKey: demandKey.publicKey,
    modelId: plan.modelId,
    policyId: policyIdOf(utf8(policyText)),
    salt: randomField(),
  };
  const orderId = orderIdOf(opening);
  const order: OrderRecord = {
    place,
    terms,
    opening,
    orderId,
    orderKey: orderKeyOf(funder, orderId),
    demandKey,
    outputSeed: randomField(),
    policyText,
    budgets: plan.budgets.map(({ provider, amount }) => ({ provider: lowerAddress(provider), amount })),
    deadlineUnix: plan.deadlineUnix,
    graceSeconds: plan.graceSeconds,
    openTransaction: undefined,
    laneIndexBase: 0,
    ...(plan.publicModel && { publicModel: plan.publicModel }),
  };
  await client.store.orders.create(order);
  return sendOpening(client, order);
}

/**
 * Finishes an opening that was interrupted. When the process died after its transaction was sent, the order opens without the store knowing:
 * what the funder has sent is waited for, as a new transaction would have to anyway, and nothing is sent when it opened the order.
 * @throws `STUN_ORDER_EXISTS` when the store knows that the order is on chain, `STUN_CHAIN_DISAGREES` when it is there with other terms
 */
export async function resumeOpening(client: ClientConnection, order: OrderRecord): Promise<OpenedOnChain> {
  if (order.openTransaction !== undefined) return sendOpening(client, order);
  const { escrow, deployment } = client.contracts;
  const { funder } = order.place;
  const count = (state: string): Promise<number> => client.provider.getTransactionCount(funder, state);
  while ((await count('pending')) > (await count('latest'))) await sleep(PENDING_POLL_MS);
  const [found] = await escrow.ordersOpened(deployment.deployBlock, { funder, orderId: order.orderId });
  if (found === undefined) return sendOpening(client, order);
  if (found.domain !== order.opening.domain) {
    throw new StunError('STUN_CHAIN_DISAGREES', 'the order on chain was opened with another domain than the stored one');
  }
  const receipt = await client.provider.getTransactionReceipt(found.place.transactionHash);
  if (receipt === null) throw new StunError('STUN_CHAIN_UNAVAILABLE', 'the node has no receipt of the opening that it shows');
  return noteOpened(client, order, minedOf(receipt));
}

async function sendOpening(client: ClientConnection, order: OrderRecord): Promise<OpenedOnChain> {
  const { escrow } = client.contracts;
  const sum = order.budgets.reduce((total, budget) => total + budget.amount, 0n);
  const request = {
    orderId: order.orderId,
    token: order.place.token,
    deadlineUnix: order.deadlineUnix,
    graceSeconds: order.graceSeconds,
    terms: order.terms,
    budgets: order.budgets,
  };
  const permit = await allowanceFor(client, order.place.token, sum);
  return noteOpened(client, order, await escrow.open(order.place, request, permit));
}

async function noteOpened(client: ClientConnection, order: OrderRecord, transaction: MinedTransaction): Promise<OpenedOnChain> {
  const opened: OrderRecord = { ...order, openTransaction: transaction.transactionHash };
  await client.store.orders.update(opened);
  return { order: opened, transaction };
}

/** A permit for the STUN token; an approval by transaction for any other ERC-20; nothing for the native coin. */
async function allowanceFor(client: ClientConnection, token: string, amount: bigint): Promise<PermitSignature | undefined> {
  if (token === NATIVE_TOKEN) return undefined;
  const { contracts } = client;
  const escrow = contracts.escrow.access.address;
  if (token === contracts.token.access.address) {
    const newest = await client.provider.getBlock('latest');
    const nowUnix = Math.max(client.nowUnix(), newest?.timestamp ?? 0);
    return contracts.token.signPermit(client.signer(), escrow, amount, nowUnix + PERMIT_LIFE_SECONDS);
  }
  throw new StunError('STUN_TOKEN_NOT_LISTED', 'only the native coin and the token of the deployment are supported here');
}

/** Adds to a provider's budget, or a provider to the order. */
export async function topUpOrder(
  client: ClientConnection,
  order: OrderRecord,
  provider: string,
  amount: bigint,
): Promise<MinedTransaction> {
  const { token } = order.place;
  const permit = await allowanceFor(client, token, amount);
  const to = lowerAddress(provider);
  const known = order.budgets.find((budget) => budget.provider === to)?.amount;
  const withBudget = (sum: bigint): OrderRecord => {
    const others = order.budgets.filter((budget) => budget.provider !== to);
    return { ...order, budgets: [...others, { provider: to, amount: sum }] };
  };
  // A refund asks for the budgets of the providers in the store: a new one must be there before its money leaves.
  if (known === undefined) await client.store.orders.update(withBudget(0n));
  const mined = await client.contracts.escrow.topUp(order.orderId, to, amount, token, permit);
  await client.store.orders.update(withBudget((known ?? 0n) + amount));
  return mined;
}

/** Sets the deadline of the order to the earlier of itself and now. The grace stays. */
export function closeOrder(client: ClientConnection, order: OrderRecord): Promise<MinedTransaction> {
  return client.contracts.escrow.requestClose(order.orderId);
}

/** What a refund gave back. */
export interface OrderRefund {
  readonly refunds: readonly { readonly provider: string; readonly amount: bigint }[];
  readonly refundTransaction: MinedTransaction;
  /** The transaction that paid the credit out. */
  readonly withdrawTransaction: MinedTransaction;
}

/** Takes back what is left of every provider's budget and pays it out. @throws `STUN_ORDER_NOT_REFUNDABLE`, `STUN_NOTHING_DUE` */
export async function refundOrder(client: ClientConnection, order: OrderRecord): Promise<OrderRefund> {
  const { escrow } = client.contracts;
  const left: string[] = [];
  for (const { provider } of order.budgets) {
    if ((await escrow.budget(order.orderKey, provider)).remaining > 0n) left.push(provider);
  }
  if (left.length === 0) throw new StunError('STUN_NOTHING_DUE', await whyNothing(client, order));
  const refundTransaction = await escrow.refund(order.orderId, left);
  const events = await escrow.refunds(refundTransaction.blockNumber, order.orderKey);
  const refunds = events
    .filter((event) => event.place.transactionHash === refundTransaction.transactionHash)
    .map(({ provider, amount }) => ({ provider, amount }));
  const withdrawTransaction = await escrow.withdraw(order.place.token);
  return { refunds, refundTransaction, withdrawTransaction };
}

/** An interrupted refund leaves its amount as the funder's credit. */
async function whyNothing(client: ClientConnection, { place }: OrderRecord): Promise<string> {
  const credit = await client.contracts.escrow.credit(place.token, place.funder);
  const none = 'no budget of the order is left';
  return credit === 0n ? none : `${none}; ${credit} are credited to its funder: stun payout withdraw pays them out`;
}

/** An order as the customer's own node shows it. */
export interface OrderState {
  readonly stored: StoredOrder;
  readonly budgets: readonly {
    readonly provider: string;
    readonly funded: bigint;
    readonly remaining: bigint;
    /** The last second in which the provider can settle, as of now. */
    readonly settleableUntilUnix: number;
  }[];
  readonly settlements: readonly Settled[];
  readonly refunded: bigint;
}

/** Reads an order on chain. @throws `STUN_ORDER_UNKNOWN`, `STUN_CHAIN_DISAGREES` when it differs from the stored one */
export async function orderState(client: ClientConnection, order: OrderRecord): Promise<OrderState> {
  const { escrow, deployment } = client.contracts;
  const stored = await escrow.order(order.place.funder, order.orderId);
  if (stored.domain !== order.opening.domain || stored.family !== order.terms.settlementFamily) {
    throw new StunError('STUN_CHAIN_DISAGREES', 'the order on chain has another domain or family than the stored one');
  }
  const budgets = [];
  for (const { provider } of order.budgets) {
    const settleableUntilUnix = await escrow.settleableUntilUnix(order.orderKey, provider);
    budgets.push({ provider, ...(await escrow.budget(order.orderKey, provider)), settleableUntilUnix });
  }
  const settlements = await escrow.settlements(deployment.deployBlock, { orderKey: order.orderKey });
  const refunds = await escrow.refunds(deployment.deployBlock, order.orderKey);
  return { stored, budgets, settlements, refunded: refunds.reduce((sum, refund) => sum + refund.amount, 0n) };
}
