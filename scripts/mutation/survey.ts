/** Which tests reach which mutants, and how long each takes. */
import type { Mutant } from './mutants.ts';
import type { Selection } from './run-file.ts';
import { startTestChild } from './test-child.ts';
import { inLanes } from './lanes.ts';

/** What is run for one mutant: files with the tests that reach it, the quickest first. */
export interface Plan {
  readonly selections: readonly Selection[];
  /** The time that it takes when all of it passes, as measured in the survey. */
  readonly expectedMs: number;
}

/** How long the tests of one file may take in the survey. */
const surveyLimitMs = 10 * 60_000;

interface Reach {
  readonly file: string;
  readonly tests: readonly string[];
  readonly ms: number;
}

/**
 * Runs every test file once, unchanged, and plans what is to be run for each mutant, in the order of the mutants. Throws when a test
 * fails without any mutant, because then a failure with one says nothing.
 */
export async function surveyTests(mutants: readonly Mutant[], files: readonly string[]): Promise<Plan[]> {
  const reaches: Reach[][] = mutants.map(() => []);
  await inLanes(files, async (next) => {
    const child = startTestChild();
    try {
      for (let file = next(); file !== undefined; file = next()) {
        const answer = await child.give({ kind: 'survey', file, mutants }, surveyLimitMs);
        if (typeof answer === 'string') throw new Error(`${file} ${answer} without a mutant`);
        if (answer.failure !== null)
          throw new Error(`fails without a mutant: ${file}: ${answer.failure.test ?? 'on load'}: ${answer.failure.message}`);
        for (const [index, reached] of reaches.entries()) {
          const tests = answer.tests.filter((test) => test.reaches.includes(index));
          if (tests.length > 0)
            reached.push({ file, tests: tests.map(({ name }) => name), ms: tests.reduce((sum, { ms }) => sum + ms, 0) });
        }
      }
    } finally {
      child.end();
    }
  });
  return reaches.map((reached) => ({
    selections: reached.toSorted((a, b) => a.ms - b.ms).map(({ file, tests }) => ({ file, tests })),
    expectedMs: reached.reduce((sum, { ms }) => sum + ms, 0),
  }));
}
