/** A child process of a local stack: its output in a file, ready when its own health page says so, killed as a process would die. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { StunError } from '#protocol/errors/stun-error.ts';

const CLI = fileURLToPath(new URL('../main.ts', import.meta.url));

/** What to run and how to know that it serves. What runs must take `stoppingSignal`. */
export interface ChildSpec {
  readonly name: string;
  /** Arguments of `stun`, or of another program of the repository. */
  readonly args: readonly string[];
  readonly program?: string;
  /** Variables on top of the inherited PATH, HOME and NODE_COMPILE_CACHE; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly logPath: string;
  /** Answers 200 once the process serves. */
  readonly readyUrl: string;
  readonly readyTimeoutMs: number;
}

/** A running child. It ends by itself when this process does. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Resolves with the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  /** Asks it to stop and waits; after `graceMs` it is killed. */
  stop(graceMs?: number): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return tryPort(0);
}

/** @throws `STUN_CONFIG` when something else listens on the port, or it cannot be opened */
export async function assertPortFree(port: number): Promise<void> {
  await tryPort(port).catch((cause: unknown) => {
    throw new StunError('STUN_CONFIG', `port ${port} cannot be opened: end what uses it first`, { cause });
  });
}

async function tryPort(wanted: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(wanted, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function lastLines(path: string, count: number): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}

/**
 * Starts a child and waits until it is ready.
 * @throws `STUN_STACK_CHILD` with the end of its log when it ends or is not ready in time, and when something else answers in its place already
 */
export async function startChild(spec: ChildSpec): Promise<Child> {
  if (await answers(spec.readyUrl)) {
    throw new StunError(
      'STUN_STACK_CHILD',
      `${spec.name} cannot start: something answers at ${spec.readyUrl} already, perhaps of a demonstration that was left up; stop it first`,
    );
  }
  const log = openSync(spec.logPath, 'a');
  const inherited = Object.fromEntries(
    ['PATH', 'HOME', 'NODE_COMPILE_CACHE', 'STUN_PROVER_BACKEND'].flatMap((name) =>
      process.env[name] ? [[name, process.env[name]]] : [],
    ),
  );
  const process_ = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', spec.program ?? CLI, ...spec.args], {
    env: { ...inherited, ...spec.env },
    // Through the channel it learns that this process is gone, however it went. A session of its own keeps a terminal's Ctrl-C from it: this
    // process ends its children one after the other.
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
  closeSync(log);
  const exited = exitOf(process_);
  let ended = false;
  void exited.then(() => (ended = true));
  const child: Child = {
    name: spec.name,
    pid: process_.pid ?? 0,
    logPath: spec.logPath,
    exited,
    async stop(graceMs = 20_000) {
      process_.kill('SIGTERM');
      const timer = setTimeout(() => process_.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
    async kill() {
      process_.kill('SIGKILL');
      await exited;
    },
  };
  const deadline = Date.now() + spec.readyTimeoutMs;
  while (!(await answers(spec.readyUrl))) {
    if (ended || Date.now() > deadline) {
      const what = ended ? 'ended' : `was not ready within ${spec.readyTimeoutMs / 1000} s`;
      await child.kill();
      throw new StunError('STUN_STACK_CHILD', `${spec.name} ${what}; end of ${spec.logPath}:\n${lastLines(spec.logPath, 12)}`);
    }
    await sleep(100);
  }
  return child;
}

function exitOf(process_: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    process_.once('exit', (code) => resolve(code));
    process_.once('error', reject);
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
