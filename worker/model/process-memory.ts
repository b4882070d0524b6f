/** How much memory a process holds, read from the kernel. Linux alone: elsewhere there is no figure and no limit. */
import { readFileSync } from 'node:fs';

/** Resident bytes of a process; undefined when it is gone or the system has no /proc. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
