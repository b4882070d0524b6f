/**
 * How raw features become the integers that a compiled model takes. It is public, stands in the manifest, and the customer applies it: what
 * is proven starts with the integers.
 */
import { StunError } from '#protocol/errors/stun-error.ts';

/** One feature. */
export type FeatureQuantiser =
  /** round((x - low) / step), cut off at 0 and `maximum`. */
  | { readonly kind: 'affine'; readonly low: number; readonly step: number; readonly maximum: number }
  /** How many thresholds x is greater than, or not less than when `inclusive`; thresholds ascend. */
  | { readonly kind: 'ranks'; readonly thresholds: readonly number[]; readonly inclusive: boolean };

function rank(thresholds: readonly number[], value: number, inclusive: boolean): number {
  let [low, high] = [0, thresholds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const reached = inclusive ? value >= thresholds[middle]! : value > thresholds[middle]!;
    if (reached) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Ranks have no ends. A feature that never changed in calibration knows its one value alone. */
function isBeyond(quantiser: FeatureQuantiser, value: number): boolean {
  if (quantiser.kind === 'ranks') return false;
  const { low, step, maximum } = quantiser;
  if (maximum === 0) return value !== low;
  const integer = Math.round((value - low) / step);
  return integer < 0 || integer > maximum;
}

/** What {@link quantiseRow} cuts off in rows. */
export interface CutOff {
  /** Values beyond the calibrated range of their feature, by more than half a step. */
  readonly valuesCutOff: number;
  /** Rows with such a value. */
  readonly rowsCutOff: number;
  /** Where the first one stands; null when there is none. */
  readonly first: { readonly row: number; readonly feature: number } | null;
}

/** Counts what is cut off. @param rows - raw values, one for each quantiser */
export function cutOffIn(quantisers: readonly FeatureQuantiser[], rows: readonly (readonly number[])[]): CutOff {
  const places = rows.flatMap((features, row) =>
    quantisers.flatMap((quantiser, feature) => (isBeyond(quantiser, Math.fround(features[feature]!)) ? [{ row, feature }] : [])),
  );
  return { valuesCutOff: places.length, rowsCutOff: new Set(places.map(({ row }) => row)).size, first: places[0] ?? null };
}

/**
 * The integers of one row. Values beyond an affine feature's range are cut off, as they are when a compiled model is judged: whoever must not lose
 * them asks {@link cutOffIn} first.
 * @param features - raw values; rounded to float32, as the float model reads them
 * @throws `STUN_MODEL_INPUT_RANGE` for another number of features or a value that is not finite
 */
export function quantiseRow(quantisers: readonly FeatureQuantiser[], features: readonly number[]): number[] {
  if (features.length !== quantisers.length)
    throw new StunError('STUN_MODEL_INPUT_RANGE', `the model takes ${quantisers.length} features, got ${features.length}`);
  return quantisers.map((quantiser, i) => {
    const value = Math.fround(features[i]!);
    if (!Number.isFinite(value)) throw new StunError('STUN_MODEL_INPUT_RANGE', `feature ${i} is not finite`);
    if (quantiser.kind === 'ranks') return rank(quantiser.thresholds, value, quantiser.inclusive);
    return Math.min(Math.max(Math.round((value - quantiser.low) / quantiser.step), 0), quantiser.maximum);
  });
}
