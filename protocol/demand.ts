/** The customer's side of a lane: order id, lane genesis, the chain of demands and its signatures. */
import { assertPublicKey, type JubPoint } from './babyjub.ts';
import { signEddsa, verifyEddsa, type EddsaKeyPair, type EddsaSignature } from './eddsa.ts';
import { StunError } from './errors/stun-error.ts';
import { addressToField, assertField, assertUint } from './field.ts';
import { poseidon } from './poseidon.ts';
import { TAG } from './tags.ts';

/** What orderId hides; the enclave learns it in a sealed envelope, the chain never. */
export interface OrderOpening {
  /** The domain of terms.ts, below 2^248. */
  readonly domain: bigint;
  readonly demandKey: JubPoint;
  readonly modelId: bigint;
  readonly policyId: bigint;
  /** Random field element. */
  readonly salt: bigint;
}

/**
 * orderId of an opening.
 * @throws `STUN_KEY_*` when the demand key is not a good public key
 */
export function orderIdOf(opening: OrderOpening): bigint {
  assertPublicKey(opening.demandKey, 'demand key');
  return poseidon(TAG.orderId, [
    assertUint(opening.domain, 248, 'domain'),
    opening.demandKey.x,
    opening.demandKey.y,
    assertField(opening.modelId, 'modelId'),
    assertField(opening.policyId, 'policyId'),
    assertField(opening.salt, 'salt'),
  ]);
}

/** Names a lane below an order. */
export interface LaneId {
  readonly orderId: bigint;
  /** 20-byte address. */
  readonly provider: string;
  /** 32 bits. */
  readonly laneIndex: number;
}

/** D_0 of a lane. */
export function laneGenesisOf(lane: LaneId): bigint {
  return poseidon(TAG.laneGenesis, [
    assertField(lane.orderId, 'orderId'),
    addressToField(lane.provider, 'provider'),
    assertUint(BigInt(lane.laneIndex), 32, 'laneIndex'),
  ]);
}

/**
 * Bits of a price and of a maximum price, in price units. One less than a word, so that two range checks in the circuit bound
 * price, maximum and their difference (circuits/lib/job.circom).
 */
export const PRICE_BITS = 63;
/** The highest price and the highest maximum price, in price units. */
export const MAX_PRICE = 2n ** BigInt(PRICE_BITS) - 1n;

/**
 * Checks the maximum price of a job that shall be paid.
 * @param maxPrice - price units
 * @param what - the name of the value in the message
 * @returns the maximum price
 * @throws `STUN_PRICE_CAP` outside 1..2^63-1
 */
export function assertMaxPrice(maxPrice: bigint, what = 'maxPrice'): bigint {
  if (maxPrice < 1n || maxPrice > MAX_PRICE)
    throw new StunError('STUN_PRICE_CAP', `${what} must be in 1..2^${PRICE_BITS}-1 price units`);
  return maxPrice;
}

/** One demand, without its signature. */
export interface Demand {
  readonly inputCommitment: bigint;
  /** Price units, 1..2^63-1 for a job that shall be paid. */
  readonly maxPrice: bigint;
  /** The enclave the input is sealed to. */
  readonly signerId: bigint;
}

/** D_k from D_{k-1}. */
export function demandHeadOf(previousHead: bigint, demand: Demand): bigint {
  return poseidon(TAG.demand, [
    assertField(previousHead, 'previous head'),
    assertField(demand.inputCommitment, 'inputCommitment'),
    assertUint(demand.maxPrice, PRICE_BITS, 'maxPrice'),
    assertField(demand.signerId, 'signerId'),
  ]);
}

/** Signs a head; the newest signature covers every demand before it. */
export function signDemand(demandKey: EddsaKeyPair, head: bigint): EddsaSignature {
  return signEddsa(demandKey, head);
}

/** Verifies a demand signature and returns the head. @throws `STUN_KEY_*`, `STUN_SIGNATURE` */
export function verifyDemand(demandKey: JubPoint, head: bigint, signature: EddsaSignature): bigint {
  return verifyEddsa(demandKey, head, signature, 'demand signature');
}
