/**
 * The two Poseidon trees of fixed shape: receipts of a segment and enclaves of a provider. Empty leaves are 0; a node is the
 * hash of all its children, in order, under the node tag. The digits of a leaf's index in base `arity`, lowest first, are the
 * places of leaf and nodes among their siblings. docs/protocol.md section 2.
 */
import { StunError } from './errors/stun-error.ts';
import { assertField } from './field.ts';
import { poseidon } from './poseidon.ts';
import { TAG } from './tags.ts';

/** What fixes a tree beside its leaves. */
export interface TreeShape {
  /** Of its nodes; leaves are hashed under tags of their own. */
  readonly tag: bigint;
  /** Children of a node, 2..16. */
  readonly arity: number;
  /** Levels above the leaves; arity^depth leaves. */
  readonly depth: number;
}

/** Receipts of a segment: at most 256 jobs, in two hashes of 16 children. */
export const RECEIPTS_TREE: TreeShape = { tag: TAG.receiptsNode, arity: 16, depth: 2 };
/** Enclaves of a provider: at most 1,024 leaves. Binary, since the registry hashes it on chain. */
export const ENCLAVE_TREE: TreeShape = { tag: TAG.enclaveNode, arity: 2, depth: 10 };

/** How many leaves a tree has, empty ones included. */
export function treeCapacity(shape: TreeShape): number {
  return shape.arity ** shape.depth;
}

/** Siblings in a path: arity - 1 on every level. */
export function pathLength(shape: TreeShape): number {
  return shape.depth * (shape.arity - 1);
}

/** As much work as a small tree itself; holds constants only. */
const emptyByShape = new WeakMap<TreeShape, readonly bigint[]>();

/** Roots of empty subtrees by height, 0..depth. */
export function emptySubtrees(shape: TreeShape): readonly bigint[] {
  const known = emptyByShape.get(shape);
  if (known !== undefined) return known;
  const empty = [0n];
  for (let height = 0; height < shape.depth; height++) {
    empty.push(poseidon(shape.tag, new Array<bigint>(shape.arity).fill(empty[height]!)));
  }
  emptyByShape.set(shape, empty);
  return empty;
}

/** A leaf's place and its siblings, leaf level first, within a level in order. */
export interface MerklePath {
  readonly index: number;
  readonly siblings: readonly bigint[];
}

function assertIndex(shape: TreeShape, index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= treeCapacity(shape))
    throw new StunError('STUN_RANGE', `a leaf index must be below ${treeCapacity(shape)}`);
}

/** A tree held in memory by its non-empty levels. */
export class FixedTree {
  readonly #shape: TreeShape;
  readonly #empty: readonly bigint[];
  readonly #levels: bigint[][];

  /**
   * @param shape - tag, arity and depth
   * @param leaves - at most arity^depth field elements, the rest is empty
   * @throws `STUN_RANGE` for more leaves, or one that is no field element
   */
  constructor(shape: TreeShape, leaves: readonly bigint[]) {
    if (leaves.length > treeCapacity(shape))
      throw new StunError('STUN_RANGE', `the tree has at most ${treeCapacity(shape)} leaves, got ${leaves.length}`);
    this.#shape = shape;
    this.#empty = emptySubtrees(shape);
    this.#levels = [leaves.map((leaf) => assertField(leaf, 'leaf'))];
    while (this.#levels.length <= shape.depth) {
      const height = this.#levels.length - 1;
      const parents = Math.ceil(this.#levels[height]!.length / shape.arity);
      this.#levels.push(Array.from({ length: parents }, (_, i) => poseidon(shape.tag, this.#children(height, i * shape.arity))));
    }
  }

  /** The nodes of a height that share a parent, from the first on. */
  #children(height: number, first: number): bigint[] {
    return Array.from({ length: this.#shape.arity }, (_, i) => this.#levels[height]![first + i] ?? this.#empty[height]!);
  }

  /** The root. */
  get root(): bigint {
    return this.#levels[this.#shape.depth]![0] ?? this.#empty[this.#shape.depth]!;
  }

  /** The path of the leaf at an index, empty leaves included. @throws `STUN_RANGE` */
  path(index: number): MerklePath {
    assertIndex(this.#shape, index);
    const siblings: bigint[] = [];
    let place = index;
    for (let height = 0; height < this.#shape.depth; height++) {
      const digit = place % this.#shape.arity;
      siblings.push(...this.#children(height, place - digit).toSpliced(digit, 1));
      place = (place - digit) / this.#shape.arity;
    }
    return { index, siblings };
  }
}

/** The root that a leaf and its path lead to. @throws `STUN_RANGE` when the path is not one of the shape */
export function rootFromPath(shape: TreeShape, leaf: bigint, path: MerklePath): bigint {
  assertIndex(shape, path.index);
  if (path.siblings.length !== pathLength(shape))
    throw new StunError('STUN_RANGE', `a path must have ${pathLength(shape)} siblings, got ${path.siblings.length}`);
  let node = leaf;
  let place = path.index;
  for (let height = 0; height < shape.depth; height++) {
    const siblings = path.siblings.slice(height * (shape.arity - 1), (height + 1) * (shape.arity - 1));
    node = poseidon(shape.tag, siblings.toSpliced(place % shape.arity, 0, node));
    place = Math.floor(place / shape.arity);
  }
  return node;
}

/** The receipts tree over R_1.. of a segment. */
export function receiptsTree(receiptHashes: readonly bigint[]): FixedTree {
  return new FixedTree(RECEIPTS_TREE, receiptHashes);
}

/** receiptsRoot of a segment. */
export function receiptsRootOf(receiptHashes: readonly bigint[]): bigint {
  return receiptsTree(receiptHashes).root;
}

/** A provider's enclave tree from its leaves by index; removed leaves are 0. */
export function enclaveTree(leaves: readonly bigint[]): FixedTree {
  return new FixedTree(ENCLAVE_TREE, leaves);
}
