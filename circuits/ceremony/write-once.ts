/** Files that appear whole or not at all and never replace another: a killed step leaves what was there before it. */
import { link, open, rm } from 'node:fs/promises';
import { StunError } from '#protocol/errors/stun-error.ts';

/**
 * Writes a new file.
 * @param write - fills the file whose path it is given; that file is beside the new one and left over from an earlier attempt at most
 * @throws `STUN_FILE` when the file is there already or cannot be written; whatever `write` throws
 */
export async function writeOnce(path: string, write: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await rm(partial, { force: true });
    await write(partial);
    await using file = await open(partial, 'r+');
    await file.sync();
    // A link, unlike a rename, fails when the name is taken.
    await link(partial, path);
  } catch (thrown) {
    if (thrown instanceof StunError) throw thrown;
    const taken = thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST';
    const reason = taken ? `${path} is there already; nothing was changed, name another file` : `${path} cannot be written`;
    throw new StunError('STUN_FILE', reason, { cause: thrown });
  } finally {
    await rm(partial, { force: true });
  }
}
