/** What tests make once and keep, beside the compiled circuits: under .stun/circuits/test/. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#circuits/build/source.ts';

const KEPT = join(REPOSITORY_ROOT, '.stun', 'circuits', 'test');

/**
 * A folder that is filled once. Another process may finish first; its result is as good, and one's own is dropped.
 * @param fill - fills the folder whose path it is given
 * @returns the folder's path
 */
export async function keptFolder(name: string, fill: (scratch: string) => Promise<void>): Promise<string> {
  const folder = join(KEPT, name);
  if (existsSync(folder)) return folder;
  await mkdir(KEPT, { recursive: true });
  const scratch = await mkdtemp(`${folder}.`);
  try {
    await fill(scratch);
    await rename(scratch, folder).catch(() => {});
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return folder;
}
