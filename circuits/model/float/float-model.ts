/** What a float model computes, once its file was understood: linear steps, rectifiers and maxima of windows, or an ensemble of trees. */
import { applyLinear, isLinear, type LinearMap } from '../linear-map.ts';
import { windowsOf, type Sliding } from '../sliding.ts';

/** min(max(x, 0), ceiling); Infinity where there is none. */
export interface Rectifier {
  readonly kind: 'rectifier';
  readonly of: number;
  readonly ceiling: number;
}

/** The greatest of each window, channel by channel. */
export interface WindowMax {
  readonly kind: 'window-max';
  readonly of: number;
  readonly sliding: Sliding;
}

/** A step of a network; `of` names the value that it reads: 0 is the input, i + 1 what step i gives. */
export type Layer = LinearMap | Rectifier | WindowMax;

/** A split goes to `above` when the feature is greater than the threshold, or equal to it when the ensemble is `inclusive`. */
export type FloatTree =
  | { readonly leaf: readonly number[] }
  | { readonly feature: number; readonly threshold: number; readonly below: FloatTree; readonly above: FloatTree };

export interface Ensemble {
  readonly kind: 'ensemble';
  readonly trees: readonly FloatTree[];
  readonly biases: readonly number[];
  /** Whether a feature equal to a threshold goes above it. */
  readonly inclusive: boolean;
}

/** A class by the name that its file gives it. */
export type ClassLabel = number | string;

/** What an output of a file holds: scores as they are, what a sigmoid or softmax makes of them, the index of a class, or its label. */
export interface SourceOutput {
  readonly name: string;
  readonly holds: 'scores' | 'sigmoid' | 'softmax' | 'index' | 'label';
}

/** A float model of one vector of features. */
export interface FloatModel {
  readonly inputName: string;
  readonly features: number;
  /** Dimensions of one row; elements of more than one dimension are in one unit. */
  readonly inputShape: readonly number[];
  /** Steps of a network, the last of which gives the scores, or one ensemble. */
  readonly layers: readonly Layer[] | readonly [Ensemble];
  /**
   * How scores are read: `binary` has one score, positive for class 1; `classes` has one for each class, the greatest wins; `values` are the
   * numbers themselves. Sigmoid and softmax keep the order of scores and are left out.
   */
  readonly reading: 'binary' | 'classes' | 'values';
  /** What the file calls class 0, class 1 and so on: their numbers where it has no names for them. Empty for `values`. */
  readonly classLabels: readonly ClassLabel[];
  /** Every output of the file. */
  readonly outputs: readonly SourceOutput[];
}

function collectThresholds(tree: FloatTree, into: readonly Set<number>[]): void {
  if ('leaf' in tree) return;
  into[tree.feature]!.add(tree.threshold);
  collectThresholds(tree.below, into);
  collectThresholds(tree.above, into);
}

/** What trees ask of each feature, in the order of the trees. */
export function thresholdsOf(trees: readonly FloatTree[], features: number): readonly ReadonlySet<number>[] {
  const thresholds = Array.from({ length: features }, () => new Set<number>());
  for (const tree of trees) collectThresholds(tree, thresholds);
  return thresholds;
}

function leafOf(tree: FloatTree, features: readonly number[], inclusive: boolean): readonly number[] {
  let at = tree;
  while (!('leaf' in at)) {
    const value = Math.fround(features[at.feature]!);
    at = value > at.threshold || (inclusive && value === at.threshold) ? at.above : at.below;
  }
  return at.leaf;
}

function apply(layer: Layer | Ensemble, values: readonly (readonly number[])[]): number[] {
  if (isLinear(layer)) return applyLinear(layer, values);
  switch (layer.kind) {
    case 'rectifier':
      return values[layer.of]!.map((value) => Math.min(Math.max(value, 0), layer.ceiling));
    case 'window-max':
      return windowsOf(layer.sliding).map((window) => Math.max(...window.map((place) => values[layer.of]![place]!)));
    case 'ensemble': {
      const leaves = layer.trees.map((tree) => leafOf(tree, values[0]!, layer.inclusive));
      return layer.biases.map((bias, i) => leaves.reduce((sum, leaf) => sum + leaf[i]!, bias));
    }
  }
}

/** The values after each layer, the features first. Doubles, not the float32 of a runtime: for calibration and comparison. */
export function floatValues(model: FloatModel, features: readonly number[]): number[][] {
  const values: number[][] = [[...features]];
  for (const layer of model.layers) values.push(apply(layer, values));
  return values;
}

/** Class labels of a file that has none: the classes' numbers. @param scores - how many the model gives */
export function numberedLabels(reading: FloatModel['reading'], scores: number): number[] {
  return Array.from({ length: reading === 'values' ? 0 : reading === 'binary' ? 2 : scores }, (_, i) => i);
}

/** The class that scores stand for; for `values` there is none. */
export function classOf(reading: FloatModel['reading'], scores: readonly number[]): number | null {
  if (reading === 'values') return null;
  return reading === 'binary' ? Number(scores[0]! > 0) : scores.indexOf(Math.max(...scores));
}
