/** The shape of a measured figure; `npm run -s bench -- NAME --json` prints `{ machine, commit, figures }`. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** The value of what was measured beside it in the same run, in the same unit; null when nothing was. */
  readonly baseline: number | null;
  /** baseline / median for times and costs, median / baseline for rates; null without a baseline. */
  readonly ratio: number | null;
}

/** Summarises samples of one quantity. `better` says which direction is good, and by that how the ratio is taken. */
export function summarise(
  name: string,
  unit: string,
  samples: readonly number[],
  baseline: number | null = null,
  better: 'lower' | 'higher' = 'lower',
): Figure {
  if (samples.length === 0) throw new RangeError(`no samples for ${name}`);
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  const ratio = baseline === null ? null : better === 'lower' ? baseline / median : median / baseline;
  return { name, unit, median, min: sorted[0]!, max: sorted.at(-1)!, runs: sorted.length, baseline, ratio };
}
