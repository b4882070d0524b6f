/** Runs suites in a lane more than there are cores, three at most, since a fifth of a suite's time is waiting; and sums them. */
import { availableParallelism } from 'node:os';
import { runProcess } from '../run-process.ts';
import { summaryLine } from './counts.ts';
import { runSuite } from './run-suite.ts';
import type { SuiteResult } from './run-suite.ts';
import type { Suite } from './suites.ts';

/** Settings of a run. */
export interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Limit of each suite. */
  readonly limitMs: number;
}

function show({ label }: Suite, result: SuiteResult): void {
  console.log(`\n== ${label}\n${result.output.trimEnd()}`);
  console.log(`== ${label}: ${summaryLine(result)} in ${result.seconds.toFixed(0)} s`);
}

/**
 * Prepares the caches, beside the suite that does without them, runs every suite and prints each one's output when it ends. Suites of
 * one name come back as one result.
 */
export async function runAll(suites: readonly Suite[], options: RunOptions): Promise<SuiteResult[]> {
  const prepared = prepare(stringsOf(options.env));
  const waiting = [...suites];
  const results: SuiteResult[] = [];
  const lane = async (): Promise<void> => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) {
      if (suite.runner !== 'solidity') await prepared;
      console.log(`running ${suite.label}: ${suite.files.length} files`);
      const result = await runSuite(suite, options.env, { runMs: options.limitMs });
      show(suite, result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) + 1 }, lane));
  return [...Map.groupBy(results, ({ name }) => name).values()].map(merged);
}

/** One result of the parts of a suite; its seconds are those of all parts together. */
function merged(parts: readonly SuiteResult[]): SuiteResult {
  return {
    name: parts[0]!.name,
    ...total(parts),
    failures: parts.flatMap(({ failures }) => failures),
    seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
    output: parts.map(({ output }) => output).join('\n'),
  };
}

/** Builds what many tests need; a failure is said here and then shown by the tests that miss it. */
async function prepare(env: Record<string, string>): Promise<void> {
  const { status, stderr } = await runProcess(process.execPath, ['scripts/tests/prepare.ts'], env);
  process.stderr.write(stderr);
  if (status !== 0) console.log(`preparing the caches failed with status ${status}; the tests that need them will say so`);
}

function stringsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** The sums over all suites. */
export function total(results: readonly SuiteResult[]): { passed: number; failed: number; skipped: number } {
  const sum = (pick: (result: SuiteResult) => number): number => results.reduce((so, result) => so + pick(result), 0);
  return { passed: sum((one) => one.passed), failed: sum((one) => one.failed), skipped: sum((one) => one.skipped) };
}

/** Prints the failed tests and, alone on the last line, the sums. Returns the exit status: 1 on a failure or when nothing passed. */
export function conclude(results: readonly SuiteResult[]): number {
  const sums = total(results);
  const failures = results.flatMap((result) => result.failures.map((title) => `${result.name}: ${title}`));
  console.log('');
  for (const failure of failures) console.log(`FAILED  ${failure}`);
  if (sums.passed === 0) console.log('no test passed: nothing was tested');
  console.log(summaryLine(sums));
  return sums.failed === 0 && sums.passed > 0 ? 0 : 1;
}
