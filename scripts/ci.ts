/**
 * What `.ci/run` runs once its surroundings stand: the gates, the provers' binaries built anew, a fuzz of the native one under sanitizers, the tests with coverage and all circuits,
 * every crash campaign on PostgreSQL, a sample of mutants, the commands that the documents show. Goes on after a failed step, so that one run shows everything.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { docCommands } from '#test/meta/doc-commands.ts';
import { reportCoverage } from './ci/coverage.ts';
import { lastLines, lastSummary, runShown } from './ci/step.ts';
import type { Ran, StepCounts } from './ci/step.ts';
import { summaryLine } from './tests/counts.ts';

const minuteMs = 60_000;
const steps: { name: string; counts: StepCounts; seconds: number }[] = [];
/** What failed, said once more before the sums: a log may be read from its end, or kept only there. */
const complaints: string[] = [];
const failure: StepCounts = { passed: 0, failed: 1, skipped: 0 };

function howItEnded({ timedOut, status, seconds }: Ran): string {
  return `${timedOut ? 'stopped at its limit' : `status ${status}`} after ${seconds.toFixed(0)} s`;
}

function complain(name: string, ran: Ran, more: readonly string[] = []): void {
  complaints.push([`FAILED  ${name}: ${howItEnded(ran)}`, ...more, ...lastLines(ran.tail)].join('\n    '));
}

/** Runs a command that ends with a summary line; without one, or with a status that contradicts it, the step is one failure. */
async function counted(name: string, command: string, env: Record<string, string>, limitMinutes: number): Promise<void> {
  console.log(`\n### ${name}: ${command}`);
  const ran = await runShown(command, env, limitMinutes * minuteMs);
  const counts = lastSummary(ran.tail);
  const sound = counts !== null && !ran.timedOut && counts.passed > 0 && (ran.status === 0) === (counts.failed === 0);
  console.log(`### ${name}: ${howItEnded(ran)}`);
  if (!sound || counts.failed > 0) complain(name, ran);
  steps.push({ name, counts: sound ? counts : failure, seconds: ran.seconds });
}

/** Runs the documented commands that are marked for it; each is one test. */
async function documentedCommands(): Promise<void> {
  const started = performance.now();
  let passed = 0;
  let failed = 0;
  for (const { command, proof } of docCommands) {
    if (!('ci' in proof)) continue;
    console.log(`\n### documented: ${command}`);
    const ran = await runShown(command, {}, proof.ci.limitMinutes * minuteMs);
    const unsaid = (proof.ci.says ?? [])
      .filter((line) => !line.test(ran.tail))
      .map((line) => `nothing in its output is ${line.source}`);
    console.log(`### documented: ${command}: ${howItEnded(ran)}`);
    if (ran.status === 0 && !ran.timedOut && unsaid.length === 0) passed += 1;
    else {
      failed += 1;
      complain(`documented: ${command}`, ran, unsaid);
    }
  }
  const counts = passed + failed === 0 ? failure : { passed, failed, skipped: 0 };
  steps.push({ name: 'documented commands', counts, seconds: (performance.now() - started) / 1000 });
}

const campaignDatabase = process.env['STUN_CI_E2E_DATABASE'];
if (campaignDatabase === undefined) throw new RangeError('STUN_CI_E2E_DATABASE is not set: start .ci/run, which prepares it');
const raw = mkdtempSync(join(tmpdir(), 'stun-coverage-'));
await counted('check', 'npm run check', { STUN_CIRCUITS: 'all' }, 8);
await counted('native prover', 'npm run build:native -- --check', {}, 5);
await counted('wasm prover', 'npm run build:wasm -- --check', {}, 5);
await counted('sanitizer fuzz', 'node_modules/.bin/node scripts/fuzz-native.ts --rounds 500', {}, 5);
await counted('test', 'npm test', { STUN_COVERAGE: raw, STUN_CIRCUITS: 'all' }, 20);
await counted('all crashes', 'npm test -- test/e2e', { STUN_E2E: 'all', STUN_E2E_DATABASE: campaignDatabase }, 18);
await counted('mutation sample', 'npm run mutate -- attestation', {}, 8);
await documentedCommands();
console.log('');
const covered = await reportCoverage(raw);
rmSync(raw, { recursive: true, force: true });
steps.push({ name: 'coverage floors', counts: covered, seconds: 0 });

console.log('');
for (const complaint of complaints) console.log(`${complaint}\n`);
for (const { name, counts, seconds } of steps)
  console.log(`${name.padEnd(20)} ${summaryLine(counts).padEnd(36)} ${seconds.toFixed(0)} s`);
const sum = (pick: (counts: StepCounts) => number): number => steps.reduce((so, step) => so + pick(step.counts), 0);
const all = { passed: sum((one) => one.passed), failed: sum((one) => one.failed), skipped: sum((one) => one.skipped) };
console.log(summaryLine(all));
process.exitCode = all.failed === 0 ? 0 : 1;
