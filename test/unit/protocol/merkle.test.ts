/** The trees of docs/protocol.md section 2, beside trees that are hashed whole, every empty leaf included. */
import assert from 'node:assert/strict';
import {
  emptySubtrees,
  ENCLAVE_TREE,
  enclaveTree,
  FIELD_ORDER,
  FixedTree,
  pathLength,
  RECEIPTS_TREE,
  receiptsRootOf,
  receiptsTree,
  rootFromPath,
  treeCapacity,
  type TreeShape,
} from '#protocol/index.ts';
import { throwsCode } from '../assert-code.ts';
import { referencePoseidon, type TaggedHash } from './reference-hashes.ts';

const SMALL: TreeShape = { tag: 99n, arity: 3, depth: 2 };
const leavesOf = (count: number): bigint[] => Array.from({ length: count }, (_, i) => BigInt(1000 + i));

describe('fixed trees', () => {
  let hash: TaggedHash;
  before(async () => {
    hash = await referencePoseidon();
  });

  /** All levels, leaves first, without a shortcut for what is empty. */
  function wholeTree(tag: bigint, arity: number, depth: number, leaves: readonly bigint[]): bigint[][] {
    const levels = [Array.from({ length: arity ** depth }, (_, i) => leaves[i] ?? 0n)];
    for (let level = levels[0]!; level.length > 1; levels.push(level)) {
      const below = level;
      level = Array.from({ length: below.length / arity }, (_, i) => hash(tag, below.slice(arity * i, arity * (i + 1))));
    }
    return levels;
  }

  it('of receipts have 256 leaves in two levels of 16, of enclaves 1,024 in ten levels of 2', () => {
    assert.deepEqual([treeCapacity(RECEIPTS_TREE), pathLength(RECEIPTS_TREE)], [256, 30]);
    assert.deepEqual([treeCapacity(ENCLAVE_TREE), pathLength(ENCLAVE_TREE)], [1024, 10]);
    for (const count of [0, 1, 15, 16, 17, 256]) {
      const leaves = leavesOf(count);
      assert.deepEqual([receiptsRootOf(leaves)], wholeTree(16n, 16, 2, leaves).at(-1), `${count} receipts`);
    }
    for (const count of [0, 5]) {
      const leaves = leavesOf(count);
      assert.deepEqual([enclaveTree(leaves).root], wholeTree(15n, 2, 10, leaves).at(-1), `${count} enclaves`);
    }
  });

  it('are as well known where they are empty', () => {
    const roots = wholeTree(99n, 3, 2, []).map(([first]) => first);
    assert.deepEqual(emptySubtrees(SMALL), roots);
  });

  it('give every place a path of its siblings, level by level, that leads to the root and nowhere else', () => {
    const leaves = leavesOf(7);
    const [bottom, middle, top] = wholeTree(99n, 3, 2, leaves) as [bigint[], bigint[], bigint[]];
    const tree = new FixedTree(SMALL, leaves);
    for (let index = 0; index < 9; index++) {
      const parent = Math.floor(index / 3);
      const siblings = [
        ...bottom.filter((_, i) => Math.floor(i / 3) === parent && i !== index),
        ...middle.filter((_, i) => i !== parent),
      ];
      const path = tree.path(index);
      assert.deepEqual(path, { index, siblings });
      assert.deepEqual([rootFromPath(SMALL, bottom[index]!, path)], top);
      assert.notDeepEqual([rootFromPath(SMALL, bottom[index]! + 1n, path)], top);
      // Which of several empty places an empty leaf has, no root can tell.
      if (index < 7) assert.notDeepEqual([rootFromPath(SMALL, bottom[index]!, { ...path, index: (index + 1) % 9 })], top);
    }
  });

  it('take as many leaves as they have places, and no more', () => {
    assert.deepEqual([new FixedTree(SMALL, leavesOf(9)).root], wholeTree(99n, 3, 2, leavesOf(9)).at(-1));
    throwsCode(() => new FixedTree(SMALL, leavesOf(10)), 'STUN_RANGE');
    throwsCode(() => receiptsTree(leavesOf(257)), 'STUN_RANGE');
    throwsCode(() => receiptsTree([1n, FIELD_ORDER]), 'STUN_RANGE');
  });

  it('have no place below 0, past the last one or between two', () => {
    const tree = new FixedTree(SMALL, leavesOf(2));
    const { siblings } = tree.path(8);
    for (const index of [-1, 9, 0.5, Number.NaN]) {
      throwsCode(() => tree.path(index), 'STUN_RANGE');
      throwsCode(() => rootFromPath(SMALL, 1n, { index, siblings }), 'STUN_RANGE');
    }
  });

  it('follow no path with a sibling too few, too many or outside the field', () => {
    const { index, siblings } = new FixedTree(SMALL, leavesOf(2)).path(1);
    for (const wrong of [siblings.slice(1), [...siblings, 0n], siblings.with(3, FIELD_ORDER)]) {
      throwsCode(() => rootFromPath(SMALL, 1001n, { index, siblings: wrong }), 'STUN_RANGE');
    }
  });
});
