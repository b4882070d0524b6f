/**
 * Gradient-boosted decision trees for two classes: logistic loss, second-order gains, histograms of quantile bins, depth-wise growth.
 *
 * Source: T. Chen and C. Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD 2016, sections 2 and 3.
 */
import type { FloatTree } from '#circuits/model/float/float-model.ts';

/** A split sends a row whose feature is at most the threshold below; a leaf has one score. */
export type BoostedTree = FloatTree;

export interface BoostingOptions {
  readonly trees: number;
  readonly depth: number;
  readonly learningRate: number;
  readonly bins: number;
  /** Weight of the squared leaves in the objective. */
  readonly lambda: number;
  /** Least sum of second derivatives in a leaf. */
  readonly minimumWeight: number;
}

/** Thresholds between quantiles of a column, ascending, as float32. */
function thresholdsOf(values: readonly number[], bins: number): number[] {
  const sorted = Float64Array.from(values).toSorted();
  const cuts = Array.from({ length: bins - 1 }, (_, i) => {
    const at = Math.floor(((i + 1) * sorted.length) / bins);
    return Math.fround((sorted[at - 1]! + sorted[at]!) / 2);
  });
  return [...new Set(cuts)];
}

function binOf(thresholds: readonly number[], value: number): number {
  let bin = 0;
  while (bin < thresholds.length && Math.fround(value) > thresholds[bin]!) bin++;
  return bin;
}

/** Grows one ensemble over binned columns. */
class Grower {
  readonly #options: BoostingOptions;
  readonly #thresholds: readonly (readonly number[])[];
  /** Bin of each row, column after column. */
  readonly #bins: readonly Uint8Array[];
  readonly #gradients: Float64Array;
  readonly #weights: Float64Array;

  constructor(rows: readonly (readonly number[])[], options: BoostingOptions) {
    this.#options = options;
    const columns = rows[0]!.map((_, c) => rows.map((row) => row[c]!));
    this.#thresholds = columns.map((column) => thresholdsOf(column, options.bins));
    this.#bins = columns.map((column, c) => Uint8Array.from(column, (value) => binOf(this.#thresholds[c]!, value)));
    this.#gradients = new Float64Array(rows.length);
    this.#weights = new Float64Array(rows.length);
  }

  /** The next tree for the present scores; adds its leaves to them. */
  grow(scores: Float64Array, labels: readonly number[]): BoostedTree {
    for (const [i, score] of scores.entries()) {
      const probability = 1 / (1 + Math.exp(-score));
      this.#gradients[i] = probability - labels[i]!;
      this.#weights[i] = probability * (1 - probability);
    }
    return this.#node(
      Uint32Array.from(scores, (_, i) => i),
      0,
      scores,
    );
  }

  #node(members: Uint32Array, depth: number, scores: Float64Array): BoostedTree {
    let [gradient, weight] = [0, 0];
    for (const i of members) {
      gradient += this.#gradients[i]!;
      weight += this.#weights[i]!;
    }
    const split = depth < this.#options.depth ? this.#bestSplit(members, gradient, weight) : null;
    if (split === null) {
      const leaf = Math.fround((-this.#options.learningRate * gradient) / (weight + this.#options.lambda));
      for (const i of members) scores[i]! += leaf;
      return { leaf: [leaf] };
    }
    const bins = this.#bins[split.feature]!;
    return {
      feature: split.feature,
      threshold: this.#thresholds[split.feature]![split.bin]!,
      below: this.#node(
        members.filter((i) => bins[i]! <= split.bin),
        depth + 1,
        scores,
      ),
      above: this.#node(
        members.filter((i) => bins[i]! > split.bin),
        depth + 1,
        scores,
      ),
    };
  }

  #bestSplit(members: Uint32Array, gradient: number, weight: number): { feature: number; bin: number } | null {
    const { lambda, minimumWeight } = this.#options;
    const score = (g: number, h: number): number => (g * g) / (h + lambda);
    let best = { gain: 1e-9, feature: -1, bin: -1 };
    for (const [feature, bins] of this.#bins.entries()) {
      const cuts = this.#thresholds[feature]!.length;
      const [gradients, weights] = [new Float64Array(cuts + 1), new Float64Array(cuts + 1)];
      for (const i of members) {
        gradients[bins[i]!]! += this.#gradients[i]!;
        weights[bins[i]!]! += this.#weights[i]!;
      }
      let [below, belowWeight] = [0, 0];
      for (let bin = 0; bin < cuts; bin++) {
        below += gradients[bin]!;
        belowWeight += weights[bin]!;
        if (belowWeight < minimumWeight || weight - belowWeight < minimumWeight) continue;
        const gain = score(below, belowWeight) + score(gradient - below, weight - belowWeight) - score(gradient, weight);
        if (gain > best.gain) best = { gain, feature, bin };
      }
    }
    return best.feature < 0 ? null : best;
  }
}

/** Trains. The same rows and options give the same trees under one version of V8. */
export function boost(rows: readonly (readonly number[])[], labels: readonly number[], options: BoostingOptions): BoostedTree[] {
  const grower = new Grower(rows, options);
  const scores = new Float64Array(rows.length);
  return Array.from({ length: options.trees }, () => grower.grow(scores, labels));
}
