/**
 * The lock of an embedded database directory. PGlite takes none itself, and two processes in one directory corrupt it.
 *
 * `stun.lock.<n>` names its holder, and the highest n is the lock. A dead holder is followed by creating the next number, which only one
 * process can; its file stays, for deleting it could let a slower process, which saw it dead too, believe that the number is free. A
 * holder is dead when its process is gone, when the machine has started again, or when another process has its number.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** When a process started, in clock ticks since the machine did: field 22 of proc_pid_stat(5); empty where that is not told. */
function startOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[19] ?? '';
}

/** A process for all time: its number, which run of the machine, its start. Written with commas. */
function identityOf(pid: number): readonly [pid: string, boot: string, start: string] {
  return [String(pid), textOf('/proc/sys/kernel/random/boot_id'), startOf(pid)];
}

/** Locks that this process holds: where the system tells no starts, its own number may be left over from another process. */
const held = new Set<string>();

/** What the system does not tell makes nobody dead. */
function isDead(path: string): boolean {
  const [pidText = '', boot = '', start = ''] = textOf(path).split(',');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  if (pid === process.pid && start === '') return !held.has(path);
  const [, bootNow, startNow] = identityOf(pid);
  if (boot !== '' && bootNow !== '' && boot !== bootNow) return true;
  return !isRunning(pid) || (start !== '' && startNow !== '' && start !== startNow);
}

/** Creates a file with all of its content. @returns false when it exists */
function create(path: string, content: string): boolean {
  const scratch = `${path}.${randomUUID()}`;
  writeFileSync(scratch, content, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(scratch, path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw thrown;
  } finally {
    rmSync(scratch);
  }
}

/**
 * Takes the lock of a directory, which is made when it does not exist.
 * @returns what gives it back
 * @throws `STUN_DATABASE_LOCKED` when a living process holds it, this one included
 */
export function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const taken = readdirSync(directory).map((name) => Number(/^stun\.lock\.(\d{1,9})$/.exec(name)?.[1] ?? 0));
  const newest = Math.max(0, ...taken);
  const path = join(directory, `stun.lock.${newest + 1}`);
  const isFree = newest === 0 || isDead(join(directory, `stun.lock.${newest}`));
  if (!isFree || !create(path, identityOf(process.pid).join(','))) {
    throw new StunError('STUN_DATABASE_LOCKED', 'the embedded database directory belongs to a running process');
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}
