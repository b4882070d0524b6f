/**
 * The lock file of an embedded database directory. PGlite takes none itself, and two processes in one directory corrupt it.
 * The file holds the owner's process id; a file whose process is gone is taken over.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** Directories that this process holds: its own id in a lock file may also be left over from a process that had the same id. */
const held = new Set<string>();

/**
 * Takes the lock of a directory, which is made when it does not exist.
 * @returns what gives it back
 * @throws `STUN_DATABASE_LOCKED` when a living process holds it
 */
export function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'stun.lock');
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = openSync(path, 'wx', 0o600);
      writeSync(file, `${process.pid}\n`);
      closeSync(file);
      held.add(path);
      return () => {
        held.delete(path);
        rmSync(path, { force: true });
      };
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
      const owner = Number(readFileSync(path, 'utf8'));
      const ours = owner === process.pid && !held.has(path);
      if (Number.isSafeInteger(owner) && owner > 0 && !ours && isAlive(owner)) break;
      rmSync(path, { force: true });
    }
  }
  throw new StunError('STUN_DATABASE_LOCKED', 'the embedded database directory belongs to a running process');
}
