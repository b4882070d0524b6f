/**
 * A lane as the enclave holds it: the newest head, and the receipts of the segment that is open. The statement is always over the
 * whole segment, so the newest stored one settles everything before it.
 */
import {
  laneGenesisOf,
  receiptHashOf,
  type EnclaveLeaf,
  type LaneId,
  type LaneView,
  type OpenedOrder,
  type Receipt,
  type RunningStatement,
} from '#protocol/index.ts';
import { ReceiptsFrontier } from './receipts-frontier.ts';

/** Where a segment starts. */
export interface SegmentStart {
  /** Number in its lane of the first job, from 1. */
  readonly firstK: number;
  readonly fromHead: bigint;
}

/** A receipt with the statement that covers it. */
export interface PreparedReceipt {
  /** R_k. */
  readonly receiptHash: bigint;
  readonly statement: RunningStatement;
  readonly receipts: ReceiptsFrontier;
}

/** One lane of one order, for the life of the keyset. */
export class Lane {
  readonly id: LaneId;
  readonly order: OpenedOrder;
  readonly leaf: EnclaveLeaf;
  #k = 0;
  #head: bigint;
  #segment: SegmentStart;
  #total = 0n;
  #receipts = ReceiptsFrontier.empty();

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
    return { ...this.#segment, count: this.#receipts.count };
  }

  /** The lane with one more receipt, as it would be signed. Changes nothing: it is signed and stored before the lane moves. */
  prepare(receipt: Receipt): PreparedReceipt {
    const receiptHash = receiptHashOf(receipt);
    const receipts = this.#receipts.append(receiptHash);
    const statement: RunningStatement = {
      fromHead: this.#segment.fromHead,
      toHead: receipt.demandHead,
      modelId: this.order.opening.modelId,
      total: this.#total + receipt.price,
      count: receipts.count,
      receiptsRoot: receipts.root,
    };
    return { receiptHash, receipts, statement };
  }

  /** Whether a segment of this order is full with one more receipt. */
  fillsWithNext(): boolean {
    return this.#receipts.count + 1 >= this.order.terms.segmentLength;
  }

  /** Takes a receipt that was signed and stored: the lane's head moves to it. */
  commit({ statement, receipts }: PreparedReceipt): void {
    this.#k += 1;
    this.#head = statement.toHead;
    this.#total = statement.total;
    this.#receipts = receipts;
  }

  /** Ends the open segment; the next receipt starts another one. Never reopened. Does nothing to an empty segment. */
  closeSegment(): void {
    if (this.#receipts.count === 0) return;
    this.#segment = { firstK: this.#k + 1, fromHead: this.#head };
    this.#total = 0n;
    this.#receipts = ReceiptsFrontier.empty();
  }
}

/** The name of a lane in maps. */
export function laneKeyOf(lane: LaneId): string {
  return `${lane.orderId.toString(16)}/${lane.laneIndex}`;
}
