/**
 * The one predicate that decides whether a job will be paid for, run by the worker before it decrypts the payload.
 *
 * Never looser than circuit and contract (a differential test holds them together) and stricter where service would go unpaid.
 * The chain view comes from the provider's own node: it guards the provider's money, never anybody's secrecy.
 */
import { enclaveLeafOf, type EnclaveLeaf } from './commitments.ts';
import { assertMaxPrice, laneGenesisOf, orderIdOf, type OrderOpening } from './demand.ts';
import { StunError } from './errors/stun-error.ts';
import { ASSURANCE, orderDomainOf, type OrderPlace, type Terms } from './terms.ts';
import { headOfHeader, verifyJobHeader, type JobHeader } from './wire/job.ts';

/** A leaf must outlive a new job by this much, so that its segment can still settle. */
export const MIN_LEAF_LIFE_SECONDS = 24 * 3600;

/** The order as the provider's node sees it. */
export interface OrderView {
  readonly place: OrderPlace;
  readonly terms: Terms;
  /** The domain stored by the escrow. */
  readonly domain: bigint;
  readonly deadlineUnix: number;
  /** Budget left for this provider, token units. */
  readonly budgetLeft: bigint;
  /** Whether the settlement family may still settle: neither tombstoned nor frozen. */
  readonly familyOpen: boolean;
  /** Whether inferences of the order can be verified now; true for an `attested` order, which has none. */
  readonly inferenceFamilyOpen: boolean;
  /** This provider's stake in the order's token that a new batch can reserve, token units; 0 unless the order is `challengeable`. */
  readonly stakeAvailable: bigint;
}

/** The lane as the enclave holds it. */
export interface LaneView {
  /** Number of the newest job taken, 0 for none. */
  readonly k: number;
  /** Its head; the genesis when k is 0. */
  readonly head: bigint;
  /** The enclave that the lane's first job named; undefined when k is 0. */
  readonly signerId: bigint | undefined;
}

/** The enclave's leaf and what the registry says of it. */
export interface LeafView {
  readonly leaf: EnclaveLeaf;
  /** The leaf value found in the provider's tree. */
  readonly treeLeaf: bigint;
  readonly retired: boolean;
}

/** Everything payable() looks at. */
export interface PayableInput {
  readonly order: OrderView;
  readonly lane: LaneView;
  readonly header: JobHeader;
  readonly opening: OrderOpening;
  readonly leaf: LeafView;
  /** Sum of the maximum prices of all jobs of (order, provider) not settled yet, this one excluded; price units. */
  readonly reserved: bigint;
  /**
   * Segments of (order, provider) not settled yet, the one that this job goes into included; at least 1. Each binds a slash when it settles, if the
   * order is `challengeable`.
   */
  readonly unsettledSegments: number;
  /** What this worker serves. */
  readonly offer: { readonly provider: string; readonly modelId: bigint; readonly price: bigint };
  readonly nowUnix: number;
}

/** A job that will be paid for. */
export interface PayableJob {
  /** D_k. */
  readonly head: bigint;
  /** The price to charge, price units. */
  readonly price: bigint;
  /** `reserved` with this job's maximum added. */
  readonly reservedAfter: bigint;
}

/**
 * Decides whether a job will be paid for.
 * @returns the head, the price and the new reservation
 * @throws `STUN_ORDER_DOMAIN`, `STUN_ORDER_OPENING`, `STUN_ORDER_CLOSED`, `STUN_ORDER_TERMS`, `STUN_DEMAND_PROVIDER`,
 *   `STUN_DEMAND_ENCLAVE`, `STUN_LANE_INDEX`, `STUN_LANE_HEAD`, `STUN_KEY_*`, `STUN_SIGNATURE`, `STUN_MODEL_MISMATCH`,
 *   `STUN_POLICY_MISMATCH`, `STUN_ENCLAVE_NOT_LIVE`, `STUN_ENCLAVE_EXPIRES_SOON`, `STUN_PRICE_CAP`, `STUN_BUDGET`, `STUN_STAKE_TOO_LOW`
 */
export function payable(input: PayableInput): PayableJob {
  assertOrder(input);
  const head = assertDemand(input);
  assertLeaf(input);
  const { header, offer, order, reserved } = input;
  if (assertMaxPrice(header.maxPrice) < offer.price) {
    throw new StunError('STUN_PRICE_CAP', `the maximum price is below the price of ${offer.price}`);
  }
  const reservedAfter = reserved + header.maxPrice;
  if (reservedAfter * order.terms.priceScale > order.budgetLeft) {
    throw new StunError('STUN_BUDGET', 'the budget left does not cover all unsettled maximum prices');
  }
  return { head, price: offer.price, reservedAfter };
}

function assertOrder({ order, header, opening, offer, unsettledSegments, nowUnix }: PayableInput): void {
  if (orderDomainOf(order.place, order.terms) !== order.domain || opening.domain !== order.domain) {
    throw new StunError('STUN_ORDER_DOMAIN', 'opening, terms and the domain on chain must agree');
  }
  if (orderIdOf(opening) !== header.orderId || order.place.funder !== header.funder) {
    throw new StunError('STUN_ORDER_OPENING', 'the opening does not open the order of the header');
  }
  if (nowUnix >= order.deadlineUnix) throw new StunError('STUN_ORDER_CLOSED', 'the deadline of the order has passed');
  if (!order.familyOpen) throw new StunError('STUN_ORDER_TERMS', 'the settlement family of the order is frozen or withdrawn');
  if (order.terms.priceScale <= 0n) throw new StunError('STUN_ORDER_TERMS', 'the price scale must be positive');
  if (!order.inferenceFamilyOpen) {
    throw new StunError('STUN_ORDER_TERMS', 'the inference family of the order is frozen or withdrawn');
  }
  // Every batch binds a slash from its settlement until it is final, so all that is unsettled must find one; of other orders nothing is known here.
  if (
    order.terms.assurance === ASSURANCE.challengeable &&
    order.stakeAvailable < order.terms.slash * BigInt(Math.max(1, unsettledSegments))
  ) {
    throw new StunError(
      'STUN_STAKE_TOO_LOW',
      'the unreserved stake does not cover a slash for each unsettled segment of the order',
    );
  }
  if (order.terms.assurance !== ASSURANCE.attested && order.terms.publicModelId !== opening.modelId) {
    throw new StunError('STUN_MODEL_MISMATCH', 'above attested the hidden model must be the public one');
  }
  if (opening.modelId !== offer.modelId)
    throw new StunError('STUN_MODEL_MISMATCH', 'the order names a model that is not served here');
}

function assertDemand({ header, opening, lane, offer, leaf }: PayableInput): bigint {
  if (header.provider !== offer.provider) throw new StunError('STUN_DEMAND_PROVIDER', 'the demand names another provider');
  if (header.signerId !== leaf.leaf.signerId) throw new StunError('STUN_DEMAND_ENCLAVE', 'the demand names another enclave');
  if (lane.signerId !== undefined && lane.signerId !== header.signerId) {
    throw new StunError('STUN_DEMAND_ENCLAVE', 'the lane belongs to another enclave');
  }
  if (header.k !== lane.k + 1)
    throw new StunError('STUN_LANE_INDEX', `job ${lane.k + 1} of the lane was expected, got ${header.k}`);
  const expected = lane.k === 0 ? laneGenesisOf(header) : lane.head;
  if (header.previousHead !== expected) throw new StunError('STUN_LANE_HEAD', 'the demand does not continue the lane');
  if (header.demandKey.x !== opening.demandKey.x || header.demandKey.y !== opening.demandKey.y) {
    throw new StunError('STUN_ORDER_OPENING', 'the demand key is not the one of the order');
  }
  verifyJobHeader(header);
  return headOfHeader(header);
}

function assertLeaf({ leaf: view, opening, offer, nowUnix }: PayableInput): void {
  if (view.leaf.policyId !== opening.policyId) throw new StunError('STUN_POLICY_MISMATCH', 'the leaf carries another policy');
  if (view.leaf.provider !== offer.provider) throw new StunError('STUN_ENCLAVE_NOT_LIVE', 'the leaf belongs to another provider');
  if (view.retired || view.treeLeaf !== enclaveLeafOf(view.leaf)) {
    throw new StunError('STUN_ENCLAVE_NOT_LIVE', 'the enclave has no live leaf in the tree of its provider');
  }
  if (view.leaf.expiresAtUnix < nowUnix + MIN_LEAF_LIFE_SECONDS) {
    throw new StunError('STUN_ENCLAVE_EXPIRES_SOON', 'the leaf must live for 24 hours more');
  }
}
