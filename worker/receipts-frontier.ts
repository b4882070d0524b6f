/**
 * The receipts tree of a growing segment, kept as its right edge: one more receipt costs as many hashes as the tree is deep, however
 * long the segment is. The root is the one of receiptsRootOf (docs/protocol.md section 2).
 */
import { emptySubtrees, poseidon, RECEIPTS_TREE, StunError, treeCapacity } from '#protocol/index.ts';

const { arity, depth, tag } = RECEIPTS_TREE;

let emptyNodes: readonly bigint[] | undefined;

/** Roots of empty subtrees by height, computed once. */
function empty(height: number): bigint {
  emptyNodes ??= emptySubtrees(RECEIPTS_TREE);
  return emptyNodes[height]!;
}

/** An append-only receipts tree. Immutable: `append` gives another one. */
export class ReceiptsFrontier {
  readonly count: number;
  readonly root: bigint;
  /** By height, the complete nodes to the left of the one that grows, below the same parent. */
  readonly #edge: readonly (readonly bigint[])[];

  private constructor(count: number, root: bigint, edge: readonly (readonly bigint[])[]) {
    this.count = count;
    this.root = root;
    this.#edge = edge;
  }

  /** The tree without receipts. */
  static empty(): ReceiptsFrontier {
    return new ReceiptsFrontier(
      0,
      empty(depth),
      Array.from({ length: depth }, () => []),
    );
  }

  /** The tree with one more receipt hash. @throws `STUN_RANGE` when it is full */
  append(receiptHash: bigint): ReceiptsFrontier {
    if (this.count >= treeCapacity(RECEIPTS_TREE)) throw new StunError('STUN_RANGE', 'a receipts tree is full with 256 receipts');
    const edge: (readonly bigint[])[] = [];
    let node = receiptHash;
    // While every place below is taken, the node is complete and joins the edge at its height.
    let complete = true;
    for (let height = 0; height < depth; height++) {
      const children = [...this.#edge[height]!, node];
      const full: boolean = complete && children.length === arity;
      edge[height] = full ? [] : complete ? children : this.#edge[height]!;
      node = poseidon(tag, [...children, ...new Array<bigint>(arity - children.length).fill(empty(height))]);
      complete = full;
    }
    return new ReceiptsFrontier(this.count + 1, node, edge);
  }
}
