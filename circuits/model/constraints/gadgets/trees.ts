/**
 * Decision trees over ranks. Each feature is an integer 0..m: how many of its m thresholds the raw value reaches. A thermometer wire per
 * threshold says whether the rank reaches it; a node then costs one product, a leaf nothing.
 */
import { Linear } from '../linear.ts';
import type { ConstraintSystem } from '../system.ts';

/** A tree: a leaf adds its values to the scores; a split goes to `above` when the feature's rank is at least `rank`. */
export type Tree =
  | { readonly leaf: readonly number[] }
  | { readonly feature: number; readonly rank: number; readonly below: Tree; readonly above: Tree };

/**
 * Binds the thermometer of one feature: wires T_1..T_m with T_j = 1 when the rank is at least j.
 *
 * Neighbours differ by 0 or 1 and the differences telescope from 1 to 0, so the wires are 1…10…0; their sum is the rank, which is thereby
 * proven to be in 0..m.
 * @returns the m wires
 */
export function thermometer(system: ConstraintSystem, rank: Linear, steps: number): Linear[] {
  const thresholds = Array.from({ length: steps }, (_, i) => i + 1);
  const first = system.allocate({ kind: 'at-least', of: rank, thresholds });
  const wires = thresholds.map((_, i) => Linear.wire(first + i));
  const ends = [Linear.constant(1n), ...wires, Linear.zero];
  for (let i = 0; i + 1 < ends.length; i++) system.enforceBoolean('thermometer.step', ends[i]!.minus(ends[i + 1]!));
  system.enforceZero('thermometer.rank', Linear.combine(wires.map((wire) => [1n, wire] as const)).minus(rank));
  return wires;
}

/** Adds the leaf that each tree reaches. @param reached - per feature, what {@link thermometer} returned @returns the scores */
export function treeScores(
  system: ConstraintSystem,
  trees: readonly Tree[],
  reached: readonly (readonly Linear[])[],
  scores: number,
): Linear[] {
  const parts: [bigint, Linear][][] = Array.from({ length: scores }, () => []);
  const visit = (tree: Tree, indicator: Linear): void => {
    if ('leaf' in tree) {
      for (const [i, value] of tree.leaf.entries()) if (value !== 0) parts[i]!.push([BigInt(value), indicator]);
      return;
    }
    const above = system.product('tree.path', indicator, reached[tree.feature]![tree.rank - 1]!);
    visit(tree.above, above);
    visit(tree.below, indicator.minus(above));
  };
  for (const tree of trees) visit(tree, Linear.constant(1n));
  return parts.map((part) => Linear.combine(part));
}
