/**
 * The two fixed-depth Poseidon trees: receipts of a segment (depth 8) and enclaves of a provider (depth 10).
 * Empty leaves are 0; the node hash is poseidon(tag, left, right). Bit i of an index tells whether the node at height i is a
 * right child. docs/protocol.md section 2.
 */
import { StunError } from './errors/stun-error.ts';
import { assertField } from './field.ts';
import { poseidon } from './poseidon.ts';
import { TAG } from './tags.ts';

/** Depth of the receipts tree: at most 256 jobs a segment. */
export const RECEIPTS_TREE_DEPTH = 8;
/** Depth of a provider's enclave tree: at most 1,024 leaves. */
export const ENCLAVE_TREE_DEPTH = 10;

/** Roots of empty subtrees by height, 0..depth. */
export function emptySubtrees(tag: bigint, depth: number): readonly bigint[] {
  const empty = [0n];
  for (let height = 0; height < depth; height++) empty.push(poseidon([tag, empty[height]!, empty[height]!]));
  return empty;
}

/** A leaf's place and its siblings from the leaf level up. */
export interface MerklePath {
  readonly index: number;
  readonly siblings: readonly bigint[];
}

/** A tree held in memory by its non-empty levels. */
export class FixedTree {
  readonly #tag: bigint;
  readonly #depth: number;
  readonly #empty: readonly bigint[];
  readonly #levels: bigint[][];

  /**
   * @param tag - the node tag
   * @param depth - the fixed depth
   * @param leaves - at most 2^depth field elements, the rest is empty
   */
  constructor(tag: bigint, depth: number, leaves: readonly bigint[]) {
    if (leaves.length > 2 ** depth)
      throw new StunError('STUN_RANGE', `a tree of depth ${depth} has at most ${2 ** depth} leaves`);
    this.#tag = tag;
    this.#depth = depth;
    this.#empty = emptySubtrees(tag, depth);
    this.#levels = [leaves.map((leaf) => assertField(leaf, 'leaf'))];
    for (let height = 0; height < depth; height++) {
      const below = this.#levels[height]!;
      const level: bigint[] = [];
      for (let i = 0; i < below.length; i += 2) {
        level.push(poseidon([this.#tag, below[i]!, below[i + 1] ?? this.#empty[height]!]));
      }
      this.#levels.push(level);
    }
  }

  /** The root. */
  get root(): bigint {
    return this.#levels[this.#depth]![0] ?? this.#empty[this.#depth]!;
  }

  /** The path of the leaf at an index, empty leaves included. */
  path(index: number): MerklePath {
    if (!Number.isInteger(index) || index < 0 || index >= 2 ** this.#depth)
      throw new StunError('STUN_RANGE', 'leaf index out of range');
    const siblings: bigint[] = [];
    for (let height = 0; height < this.#depth; height++) {
      siblings.push(this.#levels[height]![(index >> height) ^ 1] ?? this.#empty[height]!);
    }
    return { index, siblings };
  }
}

/** The root that a leaf and its path lead to. */
export function rootFromPath(tag: bigint, leaf: bigint, path: MerklePath): bigint {
  let node = leaf;
  for (const [height, sibling] of path.siblings.entries()) {
    const right = ((path.index >> height) & 1) === 1;
    node = right ? poseidon([tag, sibling, node]) : poseidon([tag, node, sibling]);
  }
  return node;
}

/** The receipts tree over R_1.. of a segment. */
export function receiptsTree(receiptHashes: readonly bigint[]): FixedTree {
  return new FixedTree(TAG.receiptsNode, RECEIPTS_TREE_DEPTH, receiptHashes);
}

/** receiptsRoot of a segment. */
export function receiptsRootOf(receiptHashes: readonly bigint[]): bigint {
  return receiptsTree(receiptHashes).root;
}

/** A provider's enclave tree from its leaves by index; removed leaves are 0. */
export function enclaveTree(leaves: readonly bigint[]): FixedTree {
  return new FixedTree(TAG.enclaveNode, ENCLAVE_TREE_DEPTH, leaves);
}
