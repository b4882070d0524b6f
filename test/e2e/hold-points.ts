/**
 * Keeps jobs in a state for as long as a test needs, so that what is killed is killed there and not a little later: a process that is
 * stopped (SIGSTOP) keeps its sockets and does nothing, and a chain that does not mine keeps its transactions. Needs Linux's /proc.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DevChain } from '#chain/dev-chain.ts';

const LIMIT_MS = 30_000;

/** Everything that a scenario holds; released together, whatever happened. */
export class Holds {
  readonly #undo: (() => Promise<void> | void)[] = [];

  /** Stops a process; it stays stopped when it is killed and started anew under another id. */
  async stop(pid: number): Promise<void> {
    this.#undo.push(() => signal(pid, 'SIGCONT'));
    signal(pid, 'SIGSTOP');
    await until(() => statusOf(pid)?.state === 'T', `process ${pid} did not stop`);
  }

  /** Stops the one child of a process that runs a program of this name. */
  async stopChildOf(parent: number, program: string): Promise<void> {
    let found: number | undefined;
    await until(() => (found = childOf(parent, program)) !== undefined, `process ${parent} has no child ${program}`);
    await this.stop(found!);
  }

  /** Takes transactions and mines none. */
  async stopMining(chain: DevChain): Promise<void> {
    await chain.request('evm_setAutomine', [false]);
    this.#undo.push(async () => {
      await chain.request('evm_setAutomine', [true]);
      await chain.request('evm_mine');
    });
  }

  /** Lets everything go on. Safe to call twice. */
  async release(): Promise<void> {
    for (const undo of this.#undo.splice(0).toReversed()) await undo();
  }
}

/** Sends a signal to a process that may be gone. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!holds()) {
    if (Date.now() > end) assert.fail(otherwise);
    await sleep(10);
  }
}

/** State letter and parent of a process (proc_pid_stat(5), fields 3 and 4; the name before them may hold anything). */
function statusOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: state!, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function childOf(parent: number, program: string): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => statusOf(pid)?.parent === parent && commandOf(pid).includes(program));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
