/** The worker's database as a file: who may read it, and which one process writes to it. */
import { closeSync, fchmodSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StunError } from '#protocol/index.ts';

/**
 * Makes the file readable by its owner alone, before SQLite opens it; the files that SQLite puts beside it take over its mode.
 * @throws what the file system throws
 */
export function restrictToOwner(path: string): void {
  if (path === ':memory:') return;
  const file = openSync(path, 'a', 0o600);
  try {
    fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

/**
 * Holds a store for this process until it is given back or the process dies. Two workers on one store would end each other's
 * segments and promise the same budget twice.
 * @returns gives it back
 * @throws `STUN_WORKER_STORE` when a living process holds it
 */
export function claimStore(path: string): () => void {
  if (path === ':memory:') return () => undefined;
  const claim = `${path}.claim`;
  try {
    restrictToOwner(claim);
    const lock = new DatabaseSync(claim, { timeout: 0 });
    try {
      lock.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      lock.close();
      throw new StunError('STUN_WORKER_STORE', `another process uses the store ${path}`, { cause });
    }
    return () => lock.close();
  } catch (cause) {
    if (cause instanceof StunError) throw cause;
    throw new StunError('STUN_WORKER_STORE', `the store ${path} cannot be claimed`, { cause });
  }
}
