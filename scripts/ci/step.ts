/** One step of `.ci/run`: a command whose output is shown as it comes, and what it counted. */
import { spawn } from 'node:child_process';
import { root } from '../project-files.ts';

/** What a step adds to the last line. */
export interface StepCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A finished command. */
export interface Ran {
  readonly status: number;
  /** The last 64 KiB of its output. */
  readonly tail: string;
  readonly timedOut: boolean;
  readonly seconds: number;
}

const tailLength = 65_536;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a command line in the root and shows its output. After `limitMs` the whole process group is killed, so that no child
 * survives its parent.
 */
export async function runShown(command: string, env: Readonly<Record<string, string>>, limitMs: number): Promise<Ran> {
  const started = performance.now();
  const child = spawn('bash', ['-c', command], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let tail = '';
  let timedOut = false;
  const show = (text: string): void => {
    process.stdout.write(text);
    tail = (tail + text).slice(-tailLength);
  };
  child.stdout.setEncoding('utf8').on('data', show);
  child.stderr.setEncoding('utf8').on('data', show);
  const end = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const endBoth = (): void => {
    end();
    process.exit(143);
  };
  for (const signal of signals) process.once(signal, endBoth);
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, limitMs);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  clearTimeout(timer);
  for (const signal of signals) process.off(signal, endBoth);
  return { status, tail, timedOut, seconds: (performance.now() - started) / 1000 };
}

/** The last `N passed, N failed` line of an output; null when there is none. */
export function lastSummary(output: string): StepCounts | null {
  const all = [...output.matchAll(/^(?:check: )?(\d+) (?:gates )?passed, (\d+) failed(?:, (\d+) skipped)?$/gm)];
  const last = all.at(-1);
  return last === undefined ? null : { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
}

/** The last lines of an output that are not empty, 24 at most and each 200 characters at most: what a command says when it fails. */
export function lastLines(output: string): readonly string[] {
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-24)
    .map((line) => line.slice(0, 200));
}
