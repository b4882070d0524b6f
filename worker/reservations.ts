/**
 * How much of an order's budget and of the provider's stake is spoken for: by everything taken and not yet settled. Settlements are looked up
 * on the chain only when budget or stake seems too small.
 */
import { fieldToHex, orderKeyOf } from '#protocol/index.ts';
import type { Enclave } from './enclave.ts';
import type { Lane } from './lane.ts';

/** Price units reserved in an order: receipted and unsettled jobs, and those that run now. */
export function reservedOf(enclave: Pick<Enclave, 'store' | 'running'>, orderKey: string): bigint {
  return enclave.store.reservedOf(orderKey) + (enclave.running.get(orderKey) ?? 0n);
}

/**
 * Unsettled segments of an order with the one that the lane's next job goes into. Counts a segment from its first receipt on: what runs on other
 * lanes at the same moment does not count yet, and waits for stake when it settles.
 */
export function unsettledWith(enclave: Pick<Enclave, 'store'>, orderKey: string, lane: Lane): number {
  return enclave.store.unsettledSegments(orderKey).length + (lane.segment.count === 0 ? 1 : 0);
}

/** Holds a job's maximum price from now on. @returns ends it, once */
export function reserve(enclave: Pick<Enclave, 'running'>, orderKey: string, maxPrice: bigint): () => void {
  const { running } = enclave;
  running.set(orderKey, (running.get(orderKey) ?? 0n) + maxPrice);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    const left = (running.get(orderKey) ?? 0n) - maxPrice;
    if (left > 0n) running.set(orderKey, left);
    else running.delete(orderKey);
  };
}

/**
 * Marks the segments that the chain shows as settled, of one order when given. A lane's head on chain settles every segment of the
 * lane up to the one that ends there.
 * @returns how many were newly marked
 */
export async function noteSettlements(enclave: Pick<Enclave, 'store' | 'chain' | 'lanes'>, orderKey?: string): Promise<number> {
  const { store, chain } = enclave;
  const lanes = Map.groupBy(store.unsettledSegments(orderKey), (segment) =>
    [segment.orderKey, segment.provider, segment.laneIndex].join('/'),
  );
  let marked = 0;
  for (const segments of lanes.values()) {
    const { orderKey: key, provider, laneIndex } = segments[0]!;
    const head = fieldToHex(await chain.laneHead(key, provider, laneIndex));
    const last = segments.findLastIndex((segment) => segment.toHead === head);
    // Somebody settled a segment that was still open here: it ends there, for a settled segment takes no more receipts.
    for (const lane of enclave.lanes.values()) {
      const here = lane.id.laneIndex === laneIndex && orderKeyOf(lane.order.place.funder, lane.id.orderId) === key;
      if (here && fieldToHex(lane.view.head) === head) lane.closeSegment();
    }
    for (const segment of segments.slice(0, last + 1)) {
      store.markSettled(segment.id);
      marked++;
    }
  }
  return marked;
}
