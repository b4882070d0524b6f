/**
 * Whether a job is taken: the order's opening, the lane, the chain, and payable(), all before the payload is decrypted. Whatever
 * fails here is declined: nothing is signed, the lane does not move.
 */
import {
  ASSURANCE,
  asStunError,
  decodeOpening,
  errorEntry,
  orderKeyOf,
  payable,
  StunError,
  type Hex,
  type JobHeader,
  type OpenedOrder,
  type PayableJob,
} from '#protocol/index.ts';
import type { Enclave, Offer } from './enclave.ts';
import type { InferenceProofs } from './inference-proofs.ts';
import { Lane, laneKeyOf } from './lane.ts';
import { noteSettlements, reserve, reservedOf, unsettledWith } from './reservations.ts';

/** A job that will be served and paid for. */
export interface AdmittedJob extends PayableJob {
  readonly orderKey: Hex;
  readonly lane: Lane;
  readonly offer: Offer;
  /** Who makes the proof that the order's level demands; undefined for `attested`. */
  readonly proofs: InferenceProofs | undefined;
  /** Ends the reservation of the job's maximum price; called when the job is stored or given up. */
  readonly release: () => void;
}

/** Gets the sealed opening of an order from where the provider keeps it; undefined when there is none. */
export type OpeningSource = (orderKey: Hex, enclaveId: Hex) => Promise<Uint8Array | undefined>;

async function openingOf(enclave: Enclave, header: JobHeader, orderKey: Hex, source: OpeningSource): Promise<OpenedOrder> {
  const known = enclave.openings.get(orderKey);
  if (known !== undefined) return known;
  const envelope = await source(orderKey, enclave.keys.enclaveId);
  if (envelope === undefined) throw new StunError('STUN_ORDER_OPENING', 'the order has no opening for this enclave');
  const { provider } = enclave.leaf;
  const order = decodeOpening(await enclave.keys.openOpening({ orderId: header.orderId, provider }, envelope));
  if (order.orderId !== header.orderId || order.place.funder !== header.funder) {
    throw new StunError('STUN_ORDER_OPENING', 'the opening does not open the order of the header');
  }
  if (order.place.chainId !== enclave.chainId || order.place.escrow !== enclave.escrow) {
    throw new StunError('STUN_ORDER_DOMAIN', 'the order lives on another chain or in another escrow');
  }
  enclave.openings.set(orderKey, order);
  return order;
}

/** The lane of a header; a new one only where neither chain nor store knows it, for an old one could never settle from its genesis. */
async function laneOf(enclave: Enclave, header: JobHeader, order: OpenedOrder, orderKey: Hex): Promise<Lane> {
  const known = enclave.lanes.get(laneKeyOf(header));
  if (known !== undefined) return known;
  const { provider } = enclave.leaf;
  if (enclave.store.hasLane(header.orderId, provider, header.laneIndex)) {
    throw new StunError('STUN_DEMAND_ENCLAVE', 'the lane belongs to an enclave of this provider that is gone');
  }
  if ((await enclave.chain.laneHead(orderKey, provider, header.laneIndex)) !== 0n) {
    throw new StunError('STUN_LANE_HEAD', 'the lane has been settled already; a new enclave needs a new lane index');
  }
  return new Lane({ orderId: header.orderId, provider, laneIndex: header.laneIndex }, order, enclave.leaf);
}

/** @throws `STUN_ORDER_TERMS` when the order's level demands proofs that are not made here */
function proofsFor(enclave: Enclave, order: OpenedOrder, offer: Offer): InferenceProofs | undefined {
  if (order.terms.assurance === ASSURANCE.attested) return undefined;
  if (offer.runner.file.compiled === undefined || enclave.proofs?.proves(offer.runner.file.modelId) !== true) {
    throw new StunError(
      'STUN_ORDER_TERMS',
      'the level of the order demands proofs of inferences, which are not made for this model here',
    );
  }
  return enclave.proofs;
}

/**
 * Decides about a job.
 * @throws the codes of payable(), `STUN_ORDER_*`, `STUN_ENVELOPE_*` of the opening: decline; `STUN_CHAIN_*`: try again later
 */
export async function admit(enclave: Enclave, header: JobHeader, source: OpeningSource): Promise<AdmittedJob> {
  const { provider } = enclave.leaf;
  const orderKey = orderKeyOf(header.funder, header.orderId);
  if (header.provider !== provider) throw new StunError('STUN_DEMAND_PROVIDER', 'the demand names another provider');
  const order = await openingOf(enclave, header, orderKey, source);
  const offer = enclave.offers.get(order.opening.modelId);
  if (offer === undefined) throw new StunError('STUN_MODEL_MISMATCH', 'the order names a model that is not served here');
  const proofs = proofsFor(enclave, order, offer);
  const lane = await laneOf(enclave, header, order, orderKey);
  if (proofs?.hasGivenUp(laneKeyOf(header)) === true) {
    throw new StunError('STUN_LANE_CLOSED', 'a proof of an earlier job could not be made, so nothing after it can settle');
  }
  const decide = async (): Promise<AdmittedJob> => {
    const { settledMarks } = enclave.store;
    const [orderView, leaf, block] = await Promise.all([
      enclave.chain.order(order, provider, settledMarks),
      enclave.chain.leaf(enclave.keys.enclaveId, order.opening.policyId),
      enclave.chain.newestBlock(),
    ]);
    // A budget from before a settlement beside the reservation from after it would promise the settled money once more.
    if (enclave.store.settledMarks !== settledMarks) return decide();
    const job = payable({
      order: orderView,
      lane: lane.view,
      header,
      opening: order.opening,
      leaf,
      reserved: reservedOf(enclave, orderKey),
      unsettledSegments: unsettledWith(enclave, orderKey, lane),
      offer: { provider, modelId: order.opening.modelId, price: offer.price },
      // The later of both clocks: an order must be open and a leaf alive by either.
      nowUnix: Math.max(enclave.nowUnix(), block.timestampUnix),
    });
    // In the same turn as the decision, or two jobs could be admitted on the same money.
    return { ...job, orderKey, lane, offer, proofs, release: reserve(enclave, orderKey, header.maxPrice) };
  };
  try {
    return await decide();
  } catch (thrown) {
    const error = asStunError(thrown);
    // Both count what was unsettled when the chain was last asked about settlements.
    if (!['STUN_BUDGET', 'STUN_STAKE_TOO_LOW'].includes(error.code) || (await noteSettlements(enclave, orderKey)) === 0)
      throw error;
    return await decide();
  }
}

/** Whether a failure is the job's own: the worker declines it. Otherwise the worker or its surroundings are at fault. */
export function isRefusal(error: StunError): boolean {
  return ['input', 'verification', 'policy'].includes(errorEntry(error.code).class);
}
