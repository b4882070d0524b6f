/**
 * Files that are either the old one or the new one, whatever kills the process: write beside, fsync, rename, fsync the folder.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';

function errnoOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Whether an error says that a file or folder is not there. */
export function isMissing(thrown: unknown): boolean {
  return errnoOf(thrown) === 'ENOENT';
}

/** Whether an error says that a file or folder is there already. */
export function isTaken(thrown: unknown): boolean {
  return errnoOf(thrown) === 'EEXIST';
}

/** Makes a folder and its parents, readable by the owner alone. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Forces a folder's entries to disk. Windows has no such call and keeps them itself. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function writeBeside(path: string, bytes: Uint8Array): Promise<string> {
  const beside = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return beside;
}

/** Writes or replaces a file, whole and durable when it returns. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const beside = await writeBeside(path, bytes);
  await rename(beside, path);
  await syncFolder(dirname(path));
}

/**
 * Writes a file that must not be there yet, whole and durable when it returns.
 * @returns false when the file was there; it is then untouched
 */
export async function createFile(path: string, bytes: Uint8Array): Promise<boolean> {
  const beside = await writeBeside(path, bytes);
  try {
    await link(beside, path);
  } catch (thrown) {
    if (isTaken(thrown)) return false;
    throw thrown;
  } finally {
    await unlink(beside);
  }
  await syncFolder(dirname(path));
  return true;
}

/** The bytes of a file, or undefined when it is not there. @throws `STUN_FILE` when it cannot be read */
export async function readFileIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw new StunError('STUN_FILE', `${path} cannot be read`, { cause: thrown });
  }
}
