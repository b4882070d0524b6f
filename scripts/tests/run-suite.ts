/** Runs one suite in a child process and brings back its counts and its output. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../project-files.ts';
import { tool } from '../run-process.ts';
import { countsVariable } from './counts.ts';
import type { Counts } from './counts.ts';
import { holdersOf, outputPipes } from './still-running.ts';
import type { Suite } from './suites.ts';

/** A finished suite. */
export interface SuiteResult extends Counts {
  readonly name: string;
  readonly seconds: number;
  readonly output: string;
}

/** Bounds of a run. */
export interface Limits {
  /** The whole run. */
  readonly runMs: number;
  /** How long a child may live on after its last test before it is said to leak; five and a half minutes when not given: coverage is written at the end, and an HTTP client gives an answer that nobody reads five minutes. */
  readonly lingerMs?: number;
}

/** Coverage slows big-number code down, so it is taken where the tests are many and small. */
const measuredSuites = new Set(['unit', 'negative', 'integration']);

/** Compiled code is kept for the many processes that tests start; not where it would blur what is measured. */
const compiled = { NODE_COMPILE_CACHE: join(root, '.stun/compiled') };

/** HPKE's algorithms of WebCrypto are experimental in Node 24; one warning for each would hide what matters. */
const quiet = '--disable-warning=ExperimentalWarning';

/** A sweep that leaves nothing out takes longer than any single test may at other depths; tests that set a limit of their own keep it. */
const fullDepthTimeoutMs = 30 * 60_000;

function command(suite: Suite, depth: string | undefined): [string, string[]] {
  const grep = suite.grep === undefined ? [] : suite.runner === 'mocha' ? ['--grep', suite.grep] : [suite.grep];
  if (suite.runner === 'solidity') return [process.execPath, [quiet, 'scripts/tests/solidity.ts', ...grep]];
  const timeout = depth === 'full' ? ['--timeout', String(fullDepthTimeoutMs)] : [];
  const reporter = ['--reporter', './scripts/tests/mocha-reporter.ts'];
  return [process.execPath, [quiet, tool('mocha'), ...reporter, ...timeout, ...grep, ...suite.files]];
}

/**
 * Runs a suite. A child that ends without counts, or does not end soon after its last test, is a failure of its own.
 */
export async function runSuite(
  suite: Suite,
  env: NodeJS.ProcessEnv,
  { runMs, lingerMs = 330_000 }: Limits,
): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'stun-test-'));
  const countsFile = join(folder, 'counts.json');
  const started = performance.now();
  const [binary, args] = command(suite, env['STUN_DEPTH']);
  const { STUN_COVERAGE: coverage, ...rest } = env;
  const measured = coverage !== undefined && measuredSuites.has(suite.name);
  const child = spawn(binary, args, {
    cwd: root,
    env: { ...rest, ...(measured ? { NODE_V8_COVERAGE: coverage } : compiled), [countsVariable]: countsFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let trouble: string | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const pipes = child.pid === undefined ? new Set<string>() : outputPipes(child.pid);
  let countedAtMs: number | undefined;
  const watch = setInterval(() => {
    if (trouble !== undefined) return;
    const nowMs = performance.now();
    if (countedAtMs === undefined && existsSync(countsFile)) countedAtMs = nowMs;
    if (countedAtMs !== undefined && nowMs - countedAtMs > lingerMs)
      trouble = `something still ran ${lingerMs / 1000} s after the last test: ${holdersOf(pipes).join('; ')}`;
    else if (nowMs - started > runMs) trouble = `not finished after ${runMs / 1000} s`;
    if (trouble === undefined) return;
    child.kill('SIGKILL');
    // Whoever else holds the pipes would keep them, and this wait, open.
    child.stdout.destroy();
    child.stderr.destroy();
  }, 500);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  clearInterval(watch);
  const counts = existsSync(countsFile) ? (JSON.parse(readFileSync(countsFile, 'utf8')) as Counts) : null;
  rmSync(folder, { recursive: true, force: true });
  const seconds = (performance.now() - started) / 1000;
  if (counts === null) trouble ??= `ended with status ${status} and no result`;
  else if (status !== 0 && counts.failed === 0) trouble ??= `ended with status ${status} although no test failed`;
  const base = counts ?? { passed: 0, failed: 0, skipped: 0, failures: [] };
  const held = counts?.holders === undefined ? '' : `; its event loop was held by ${counts.holders}`;
  const extra = trouble === undefined ? [] : [`${suite.name}: ${trouble}${held}`];
  // Not a failure, since it ended; but whoever reads this should find out why.
  if (trouble === undefined && held !== '') output += `${suite.name}: ended, but late after its last test${held}\n`;
  return {
    ...base,
    failed: base.failed + extra.length,
    failures: [...base.failures, ...extra],
    name: suite.name,
    seconds,
    output,
  };
}
