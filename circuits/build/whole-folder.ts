/** Folders that appear whole or not at all and never replace another. */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';

/**
 * Refuses a name that is taken, before anything long starts.
 * @throws `STUN_FILE`
 */
export async function assertFree(folder: string): Promise<void> {
  const there = await stat(folder).then(
    () => true,
    () => false,
  );
  if (there) throw new StunError('STUN_FILE', `${folder} exists already: name a folder that does not`);
}

/**
 * Makes a folder.
 * @param fill - fills the scratch folder whose path it is given; it lies beside the new one and is gone afterwards, however this ends
 * @returns what `fill` returns
 * @throws `STUN_FILE` when the folder exists already or cannot be written; whatever `fill` throws
 */
export async function writeWholeFolder<T>(folder: string, fill: (scratch: string) => Promise<T>): Promise<T> {
  await assertFree(folder);
  const scratch = `${folder}.building-${process.pid}`;
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(scratch);
    const made = await fill(scratch);
    await rename(scratch, folder);
    return made;
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause)
      throw new StunError('STUN_FILE', `${folder} cannot be written; name another folder`, { cause });
    throw cause;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
