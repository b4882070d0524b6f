/** A lock between processes: one builds, the others wait. Only saves work; correctness rests on the atomic rename of the result. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StunError } from '#protocol/errors/stun-error.ts';

const POLL_MS = 200;
/** Longest a build is waited for by default; the largest circuit takes minutes. */
const WAIT_MS = 15 * 60 * 1000;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function tryTake(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the process that wrote a lock is gone; an empty lock is one being written. */
async function isAbandoned(path: string): Promise<boolean> {
  let pid: number;
  try {
    pid = Number(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/**
 * Runs a task while holding a lock file; waits while another live process holds it.
 * @param onWait - called once when the lock is found taken
 * @param waitMs - longest wait
 * @throws `STUN_CIRCUIT_LOCK` after that wait
 */
export async function withLock<T>(path: string, onWait: () => void, task: () => Promise<T>, waitMs = WAIT_MS): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  for (let waitedMs = 0; !(await tryTake(path)); waitedMs += POLL_MS) {
    if (waitedMs === 0) onWait();
    if (waitedMs >= waitMs) throw new StunError('STUN_CIRCUIT_LOCK', `waited ${waitMs / 1000} s for the lock ${path}`);
    if (await isAbandoned(path)) await rm(path, { force: true });
    else await sleep(POLL_MS);
  }
  try {
    return await task();
  } finally {
    await rm(path, { force: true });
  }
}
