/** What a gate of `npm run check` is. */

/** What one gate found. */
export interface GateResult {
  /** How much was looked at; zero fails the gate, because a gate that looks at nothing proves nothing. */
  readonly count: number;
  /** What `count` counts, in the plural. */
  readonly unit: string;
  /** One line for each finding; none means passed. */
  readonly problems: readonly string[];
}

/** A named check over the whole tree. */
export interface Gate {
  readonly name: string;
  readonly run: () => Promise<GateResult>;
}

/** The non-empty lines of a tool's output. */
export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** The findings of a gate, with the one that it looked at nothing. */
export function findings(result: GateResult): readonly string[] {
  return result.count === 0 ? [...result.problems, `looked at no ${result.unit}`] : result.problems;
}
