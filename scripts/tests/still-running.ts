/** Says what keeps a test process from ending: without names, a leak is found by guessing. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Tells what holds this process's event loop, `afterMs` from now, unless it has ended by then. */
export function nameHoldersAfter(afterMs: number, tell: (holders: string) => void): void {
  setTimeout(() => {
    const counts = new Map<string, number>();
    for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const list = [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
    tell(list === '' ? 'nothing that Node names' : list);
  }, afterMs).unref();
}

/** The pipes that a process writes its output to, as /proc names them; empty where there is no /proc. */
export function outputPipes(pid: number): ReadonlySet<string> {
  return new Set([1, 2].flatMap((fd) => linkOf(pid, fd)));
}

function linkOf(pid: number | string, fd: number | string): string[] {
  try {
    return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
  } catch {
    return [];
  }
}

/**
 * Every other process that holds one of `pipes` open, one line each: `PID COMMAND`. A pipe's reader sees its end only when the last of them
 * is gone, whoever started it.
 */
export function holdersOf(pipes: ReadonlySet<string>): string[] {
  if (pipes.size === 0) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const held = readdirSync(`/proc/${name}/fd`).some((fd) => linkOf(name, fd).some((link) => pipes.has(link)));
        if (!held) return [];
        return [`${name} ${readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 200)}`];
      } catch {
        return [];
      }
    });
}
