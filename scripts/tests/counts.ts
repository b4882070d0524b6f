/** What a test runner reports, and where: each child writes one JSON file that the parent sums. */
import { writeFileSync } from 'node:fs';

/** The result of one run. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The tests that failed, each with the first line of what it said. */
  readonly failures: readonly string[];
  /** What kept the runner from ending a while after its last test. */
  readonly holders?: string;
}

/** The variable by which the parent tells a child where to write its counts. */
export const countsVariable = 'STUN_TEST_COUNTS';

/**
 * Returns a function that writes the counts where the parent asked for them, and does nothing when nobody asked. Takes the variable out of
 * the environment, so that programs which tests start do not inherit it.
 */
export function countsReporter(): (counts: Counts) => void {
  const file = process.env[countsVariable];
  delete process.env[countsVariable];
  return (counts) => {
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  };
}

/** The plain last line of every test command. */
export function summaryLine(counts: { passed: number; failed: number; skipped: number }): string {
  return `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`;
}
