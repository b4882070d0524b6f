/**
 * What the worker asks the chain, through the provider's own node. It guards the provider's money: a node that lies makes the worker
 * serve unpaid, never reveal anything.
 */
import type { Provider } from 'ethers';
import { ASSURANCE, orderKeyOf, StunError, type Hex, type LeafView, type OpenedOrder, type OrderView } from '#protocol/index.ts';
import { chainErrorOf } from '#chain/errors.ts';
import type { StunContracts } from '#chain/deployment.ts';

/** A block as evidence and deadlines need it. */
export interface BlockView {
  /** 32 bytes; the nonce of evidence. */
  readonly hash: Hex;
  readonly timestampUnix: number;
}

/** The questions. All answers are of the newest block, or at most `maxAgeMs` old. */
export interface ChainView {
  /**
   * The order as payable() takes it.
   * @param settledMarks - of the store when the question is put: an answer remembered under another number is not given, for it may
   *   show the budget from before a settlement whose jobs no longer count as reserved
   * @throws `STUN_ORDER_UNKNOWN`, `STUN_CHAIN_*`
   */
  readonly order: (order: OpenedOrder, provider: string, settledMarks: number) => Promise<OrderView>;
  /** The enclave's leaf under a policy. @throws `STUN_ENCLAVE_NOT_LIVE`, `STUN_CHAIN_*` */
  readonly leaf: (enclaveId: string, policyId: bigint) => Promise<LeafView>;
  /** The last settled head of a lane, 0 for none. Never cached. */
  readonly laneHead: (orderKey: string, provider: string, laneIndex: number) => Promise<bigint>;
  readonly newestBlock: () => Promise<BlockView>;
}

/** Remembers answers for a while. A failure is not remembered. */
class AgeingCache<T> {
  readonly #maxAgeMs: number;
  readonly #entries = new Map<string, { readonly value: Promise<T>; readonly atMs: number }>();

  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const nowMs = performance.now();
    for (const [old, entry] of this.#entries) if (nowMs - entry.atMs >= this.#maxAgeMs) this.#entries.delete(old);
    const known = this.#entries.get(key);
    if (known !== undefined) return known.value;
    const value = ask();
    this.#entries.set(key, { value, atMs: nowMs });
    value.catch(() => this.#entries.delete(key));
    return value;
  }
}

/**
 * The chain through typed contracts.
 * @param maxAgeMs - how old orders, leaves and the newest block may be; 0 asks every time
 */
export function createChainView(contracts: StunContracts, provider: Provider, maxAgeMs: number): ChainView {
  const { court, escrow, registry, router } = contracts;
  const orders = new AgeingCache<OrderView>(maxAgeMs);
  const leaves = new AgeingCache<LeafView>(maxAgeMs);
  const blocks = new AgeingCache<BlockView>(maxAgeMs);

  const readOrder = async (order: OpenedOrder, payee: string): Promise<OrderView> => {
    const orderKey = orderKeyOf(order.place.funder, order.orderId);
    const [stored, budget, family] = await Promise.all([
      escrow.order(order.place.funder, order.orderId),
      escrow.budget(orderKey, payee),
      escrow.familyFor(orderKey, payee),
    ]);
    const { assurance, inferenceFamily } = order.terms;
    return {
      place: order.place,
      terms: order.terms,
      domain: stored.domain,
      deadlineUnix: stored.deadlineUnix,
      budgetLeft: budget.remaining,
      familyOpen: await router.isFamilyOpen(family),
      inferenceFamilyOpen: assurance === ASSURANCE.attested || (await router.isFamilyOpen(inferenceFamily)),
      stakeAvailable: assurance === ASSURANCE.challengeable ? await court.availableStake(order.place.token, payee) : 0n,
    };
  };
  const readBlock = async (): Promise<BlockView> => {
    try {
      const block = await provider.getBlock('latest');
      if (block?.hash === null || block?.hash === undefined)
        throw new StunError('STUN_CHAIN_UNAVAILABLE', 'the node has no block');
      return { hash: block.hash as Hex, timestampUnix: block.timestamp };
    } catch (thrown) {
      throw chainErrorOf(thrown, 'reading the newest block');
    }
  };
  return {
    order: (order, payee, settledMarks) => orders.get(`${order.orderId}/${payee}/${settledMarks}`, () => readOrder(order, payee)),
    leaf: (enclaveId, policyId) => leaves.get(`${enclaveId}/${policyId}`, () => registry.leaf(enclaveId, policyId)),
    laneHead: (orderKey, payee, laneIndex) => escrow.lane(orderKey, payee, laneIndex),
    newestBlock: () => blocks.get('newest', readBlock),
  };
}
