/**
 * A lane as the enclave holds it: the newest head, and the receipts of the segment that is open. The statement is always over the
 * whole segment, so the newest stored one settles everything before it.
 */
import {
  laneGenesisOf,
  statementOver,
  type EnclaveLeaf,
  type LaneId,
  type LaneView,
  type OpenedOrder,
  type Receipt,
  type RunningStatement,
} from '#protocol/index.ts';

/** Where a segment starts. */
export interface SegmentStart {
  /** Number in its lane of the first job, from 1. */
  readonly firstK: number;
  readonly fromHead: bigint;
}

/** One lane of one order, for the life of the keyset. */
export class Lane {
  readonly id: LaneId;
  readonly order: OpenedOrder;
  readonly leaf: EnclaveLeaf;
  #k = 0;
  #head: bigint;
  #segment: SegmentStart;
  #receipts: Receipt[] = [];

  constructor(id: LaneId, order: OpenedOrder, leaf: EnclaveLeaf) {
    this.id = id;
    this.order = order;
    this.leaf = leaf;
    this.#head = laneGenesisOf(id);
    this.#segment = { firstK: 1, fromHead: this.#head };
  }

  /** As payable() takes it. */
  get view(): LaneView {
    return { k: this.#k, head: this.#head, signerId: this.#k === 0 ? undefined : this.leaf.signerId };
  }

  /** The open segment: where it starts and how many receipts it has. */
  get segment(): SegmentStart & { readonly count: number } {
    return { ...this.#segment, count: this.#receipts.length };
  }

  /** The statement that the next receipt would make. Changes nothing: it is signed and stored before the lane moves. */
  statementWith(receipt: Receipt): RunningStatement {
    return statementOver(this.#segment.fromHead, this.order.opening.modelId, [...this.#receipts, receipt]);
  }

  /** Whether a segment of this order is full with one more receipt. */
  fillsWithNext(): boolean {
    return this.#receipts.length + 1 >= this.order.terms.segmentLength;
  }

  /** Takes a stored receipt: the lane's head moves to it. */
  commit(receipt: Receipt): void {
    this.#k += 1;
    this.#head = receipt.demandHead;
    this.#receipts.push(receipt);
  }

  /** Ends the open segment; the next receipt starts another one. Never reopened. Does nothing to an empty segment. */
  closeSegment(): void {
    if (this.#receipts.length === 0) return;
    this.#segment = { firstK: this.#k + 1, fromHead: this.#head };
    this.#receipts = [];
  }
}

/** The name of a lane in maps. */
export function laneKeyOf(lane: LaneId): string {
  return `${lane.orderId.toString(16)}/${lane.laneIndex}`;
}
