/**
 * `npm run test:full [-- --date YYYY-MM-DD] [SUITE…]`: every test at full depth, with all circuits, and every mutant (`mutation`). Records in
 * test/full-result.json what came out of each suite, with the commit that it ran on: named suites replace their own entries and leave the rest,
 * so that what takes hours can be run in parts. Says of each entry that it kept how many commits it is behind.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './project-files.ts';
import { environment, runProcess } from './run-process.ts';
import { lastSummary } from './ci/step.ts';
import { conclude, runAll } from './tests/run-all.ts';
import type { SuiteResult } from './tests/run-suite.ts';
import { suitesFor } from './tests/suites.ts';

/** One suite's entry. */
interface Entry {
  readonly commit: string;
  readonly changedSinceCommit: boolean;
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly failures: readonly string[];
}

const MUTATION = 'mutation';
const { values, positionals } = parseArgs({ options: { date: { type: 'string' } }, allowPositionals: true });
const date = values.date ?? new Date().toISOString().slice(0, 10);
if (!/^\d{4}-\d\d-\d\d$/.test(date)) throw new RangeError(`--date is ${date}, expected YYYY-MM-DD`);
const suites = suitesFor([]);
const known = [...new Set(suites.map(({ name }) => name)), MUTATION];
const stranger = positionals.find((name) => !known.includes(name));
if (stranger !== undefined) throw new RangeError(`no suite is called ${stranger}: there are ${known.join(', ')}`);
const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);

const commit = (await runProcess('git', ['rev-parse', 'HEAD'])).stdout.trim();
// The record itself does not count: a run in parts changes it between them.
const elsewhere = ['status', '--porcelain', '--', '.', ':!test/full-result.json', ':!test/mutation-score.json'];
const changedSinceCommit = (await runProcess('git', elsewhere)).stdout.trim() !== '';
const machine = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} threads`;
const path = join(root, 'test/full-result.json');
const before = (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}) as Record<string, Entry>;

function entryOf({ passed, failed, skipped, seconds, failures }: Omit<SuiteResult, 'name' | 'output'>): Entry {
  const ran = { commit, changedSinceCommit, date, node: process.version, machine };
  return { ...ran, passed, failed, skipped, seconds: Math.round(seconds), failures };
}

const env = { ...environment(), STUN_DEPTH: 'full', STUN_CIRCUITS: 'all', STUN_E2E: 'all' };
const results: SuiteResult[] = await runAll(
  suites.filter(({ name }) => wanted(name)),
  { env, limitMs: 6 * 60 * 60_000 },
);
if (wanted(MUTATION)) {
  const startedAtMs = performance.now();
  const { stdout, stderr, status } = await runProcess(process.execPath, ['scripts/mutate.ts'], { STUN_DEPTH: 'full' });
  console.log(stdout + stderr);
  const counts = lastSummary(stdout) ?? { passed: 0, failed: 1, skipped: 0 };
  const failures = status === 0 ? [] : ['a folder is below its floor, see test/mutation-score.json'];
  results.push({ name: MUTATION, ...counts, failures, output: stdout, seconds: (performance.now() - startedAtMs) / 1000 });
}
const after = { ...before, ...Object.fromEntries(results.map((result) => [result.name, entryOf(result)])) };
writeFileSync(path, `${JSON.stringify(after, null, 2)}\n`);
const ran = new Set(results.map(({ name }) => name));
for (const [name, entry] of Object.entries(after)) {
  if (ran.has(name)) continue;
  const behind = await runProcess('git', ['rev-list', '--count', `${entry.commit}..HEAD`]);
  const age = behind.status === 0 ? `${behind.stdout.trim()} commits behind` : 'of a commit that this checkout does not have';
  console.log(`${name.padEnd(14)} kept from ${entry.date}, ${age}`);
}
process.exitCode = conclude(results);
