/**
 * Quantisation of ensembles. A feature becomes its rank among the thresholds that the trees ask for, so every split decides exactly as in
 * the float model; only the leaves are rounded, to a power-of-two scale.
 */
import type { Tree } from '../constraints/gadgets/trees.ts';
import { thresholdsOf, type Ensemble, type FloatModel, type FloatTree } from '../float/float-model.ts';
import type { Quantised } from './layers.ts';
import type { FeatureQuantiser } from './quantiser.ts';

/** Sums of leaves stay below 2^23, within what floats add exactly. */
const SUM_BITS = 23;
const MAX_SCALE = 20;

function largestLeaf(tree: FloatTree): number {
  return 'leaf' in tree ? Math.max(...tree.leaf.map(Math.abs)) : Math.max(largestLeaf(tree.below), largestLeaf(tree.above));
}

function ranked(tree: FloatTree, ranks: readonly ReadonlyMap<number, number>[], factor: number): Tree {
  if ('leaf' in tree) return { leaf: tree.leaf.map((value) => Math.round(value * factor) + 0) };
  return {
    feature: tree.feature,
    rank: ranks[tree.feature]!.get(tree.threshold)!,
    below: ranked(tree.below, ranks, factor),
    above: ranked(tree.above, ranks, factor),
  };
}

/** Quantises an ensemble; it needs no calibration rows. */
export function quantiseTrees(model: FloatModel, ensemble: Ensemble): Quantised {
  const quantisers = thresholdsOf(ensemble.trees, model.features).map((set): FeatureQuantiser => ({
    kind: 'ranks',
    thresholds: [...set].toSorted((a, b) => a - b),
    inclusive: ensemble.inclusive,
  }));
  const ranks = quantisers.map((one) => new Map(one.kind === 'ranks' ? one.thresholds.map((value, i) => [value, i + 1]) : []));
  const reach = ensemble.trees.reduce((sum, tree) => sum + largestLeaf(tree), Math.max(...ensemble.biases.map(Math.abs)));
  const scale = reach === 0 ? 0 : Math.max(0, Math.min(MAX_SCALE, Math.floor(Math.log2(2 ** SUM_BITS / reach) - 0.001)));
  const factor = 2 ** scale;
  const maxima = quantisers.map((one) => (one.kind === 'ranks' ? one.thresholds.length : 0));
  return {
    program: {
      input: { name: model.inputName, maxima, bytesPerElement: Math.max(...maxima) > 255 ? 2 : 1 },
      operations: [
        {
          kind: 'trees',
          of: 0,
          trees: ensemble.trees.map((tree) => ranked(tree, ranks, factor)),
          biases: ensemble.biases.map((bias) => Math.round(bias * factor) + 0),
        },
      ],
      outputName: 'scores',
      outputScale: scale,
    },
    quantisers,
  };
}
