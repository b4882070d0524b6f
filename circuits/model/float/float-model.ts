/** What a float model computes, once its file was understood: affine layers and activations, or an ensemble of trees. */

/** y = W·x + b; one row for each output. */
export interface Affine {
  readonly kind: 'affine';
  readonly weights: readonly (readonly number[])[];
  readonly biases: readonly number[];
}

/** min(max(x, 0), ceiling); Infinity where there is none. */
export interface Rectifier {
  readonly kind: 'rectifier';
  readonly ceiling: number;
}

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

/** A float model of one vector of features. */
export interface FloatModel {
  readonly inputName: string;
  readonly features: number;
  /** Affine layers with rectifiers between them, or one ensemble. */
  readonly layers: readonly (Affine | Rectifier)[] | readonly [Ensemble];
  /**
   * How scores are read: `binary` has one score, positive for class 1; `classes` has one for each class, the greatest wins; `values` are the
   * numbers themselves. Sigmoid and softmax keep the order of scores and are left out.
   */
  readonly reading: 'binary' | 'classes' | 'values';
  /** What an integer score is scaled back to before the sigmoid or softmax that was left out. */
  readonly dropped: 'sigmoid' | 'softmax' | 'none';
}

function leafOf(tree: FloatTree, features: readonly number[], inclusive: boolean): readonly number[] {
  let at = tree;
  while (!('leaf' in at)) {
    const value = Math.fround(features[at.feature]!);
    at = value > at.threshold || (inclusive && value === at.threshold) ? at.above : at.below;
  }
  return at.leaf;
}

/** The values after each layer, the features first. Doubles, not the float32 of a runtime: for calibration and comparison. */
export function floatValues(model: FloatModel, features: readonly number[]): number[][] {
  const values: number[][] = [[...features]];
  for (const layer of model.layers) {
    const from = values.at(-1)!;
    switch (layer.kind) {
      case 'affine':
        values.push(layer.weights.map((row, o) => row.reduce((sum, weight, i) => sum + weight * from[i]!, layer.biases[o]!)));
        break;
      case 'rectifier':
        values.push(from.map((value) => Math.min(Math.max(value, 0), layer.ceiling)));
        break;
      case 'ensemble': {
        const leaves = layer.trees.map((tree) => leafOf(tree, from, layer.inclusive));
        values.push(layer.biases.map((bias, i) => leaves.reduce((sum, leaf) => sum + leaf[i]!, bias)));
      }
    }
  }
  return values;
}

/** The class that scores stand for; for `values` there is none. */
export function classOf(reading: FloatModel['reading'], scores: readonly number[]): number | null {
  if (reading === 'values') return null;
  return reading === 'binary' ? Number(scores[0]! > 0) : scores.indexOf(Math.max(...scores));
}
