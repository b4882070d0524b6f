/**
 * The receipts tree of a growing segment, kept as its right edge: one more receipt costs as many hashes as the tree is deep, however
 * long the segment is. The root is the one of receiptsRootOf (docs/protocol.md section 2).
 */
import { emptySubtrees, poseidon, RECEIPTS_TREE_DEPTH, StunError, TAG } from '#protocol/index.ts';

let emptyNodes: readonly bigint[] | undefined;

/** Roots of empty subtrees by height, computed once. */
function empty(height: number): bigint {
  emptyNodes ??= emptySubtrees(TAG.receiptsNode, RECEIPTS_TREE_DEPTH);
  return emptyNodes[height]!;
}

/** An append-only receipts tree. Immutable: `append` gives another one. */
export class ReceiptsFrontier {
  readonly count: number;
  readonly root: bigint;
  /** By height, the last complete left subtree that still waits for its right one. */
  readonly #edge: readonly bigint[];

  private constructor(count: number, root: bigint, edge: readonly bigint[]) {
    this.count = count;
    this.root = root;
    this.#edge = edge;
  }

  /** The tree without receipts. */
  static empty(): ReceiptsFrontier {
    return new ReceiptsFrontier(0, empty(RECEIPTS_TREE_DEPTH), []);
  }

  /** The tree with one more receipt hash. @throws `STUN_RANGE` when it is full */
  append(receiptHash: bigint): ReceiptsFrontier {
    if (this.count >= 2 ** RECEIPTS_TREE_DEPTH) throw new StunError('STUN_RANGE', 'a receipts tree is full with 256 receipts');
    const edge = [...this.#edge];
    let node = receiptHash;
    // While every place to the left is taken too, the node is complete and belongs on the edge at its height.
    let complete = true;
    for (let height = 0; height < RECEIPTS_TREE_DEPTH; height++) {
      const right = ((this.count >> height) & 1) === 1;
      if (complete && !right) {
        edge[height] = node;
        complete = false;
      }
      node = right ? poseidon([TAG.receiptsNode, this.#edge[height]!, node]) : poseidon([TAG.receiptsNode, node, empty(height)]);
    }
    return new ReceiptsFrontier(this.count + 1, node, edge);
  }
}
