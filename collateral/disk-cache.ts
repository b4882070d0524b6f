/**
 * A cache of collateral on disk, in front of another loader. One file per name, written atomically.
 *
 * What never changes is asked for once. The rest is fresh for `maxAgeSeconds`; after that it is fetched again, and only when nothing
 * answers the old copy stands in, until the document's own end. Expired or damaged files are never served.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CollateralLoader, Published } from './published.ts';
import { fromNetwork } from './published.ts';

/** How the cache behaves. */
export interface DiskCacheOptions {
  readonly folder: string;
  readonly maxAgeSeconds: number;
  /** The time, unix seconds. */
  readonly nowUnix: () => number;
}

interface Entry<D> {
  readonly fetchedAtUnix: number;
  readonly standsInUntilUnix: number;
  readonly collateral: D;
}

function readEntry<D>(what: Published<D>, text: string): Entry<D> | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return null;
  const { fetchedAtUnix, standsInUntilUnix, collateral } = value as Partial<Record<keyof Entry<D>, unknown>>;
  if (typeof fetchedAtUnix !== 'number' || !Number.isSafeInteger(fetchedAtUnix) || !what.accepts(collateral)) return null;
  // The end is computed again: a file that says another one was tampered with.
  const end = what.standsInUntilUnix(collateral, fetchedAtUnix);
  return standsInUntilUnix === end ? { fetchedAtUnix, standsInUntilUnix: end, collateral } : null;
}

/** Puts a cache in front of a loader. Calls for the same name that overlap share one fetch. */
export function createDiskCache(options: DiskCacheOptions, inner: CollateralLoader = fromNetwork): CollateralLoader {
  const pending = new Map<string, Promise<unknown>>();

  const read = async <D>(what: Published<D>): Promise<Entry<D> | null> => {
    try {
      return readEntry(what, await readFile(join(options.folder, `${what.name}.json`), 'utf8'));
    } catch {
      return null; // absent or damaged: fetch again
    }
  };

  const write = async <D>(name: string, entry: Entry<D>): Promise<void> => {
    await mkdir(options.folder, { recursive: true });
    const temporary = join(options.folder, `.${name}.${randomUUID()}`);
    await writeFile(temporary, JSON.stringify(entry));
    await rename(temporary, join(options.folder, `${name}.json`));
  };

  const get = async <D>(what: Published<D>, signal: AbortSignal | undefined): Promise<D> => {
    const now = options.nowUnix();
    const found = await read(what);
    const kept = found !== null && found.fetchedAtUnix <= now ? found : null;
    if (kept !== null && what.lifetime === 'fixed') return kept.collateral;
    const usable = kept !== null && now < kept.standsInUntilUnix ? kept : null;
    if (usable !== null && now < usable.fetchedAtUnix + options.maxAgeSeconds) return usable.collateral;
    try {
      const collateral = await inner.load(what, signal);
      await write(what.name, { fetchedAtUnix: now, standsInUntilUnix: what.standsInUntilUnix(collateral, now), collateral });
      return collateral;
    } catch (thrown) {
      if (usable !== null && thrown instanceof StunError && thrown.code === 'STUN_COLLATERAL_UNAVAILABLE')
        return usable.collateral;
      throw thrown;
    }
  };

  return {
    load: async <D>(what: Published<D>, signal?: AbortSignal): Promise<D> => {
      const running = pending.get(what.name);
      // What is under way for a name has the type of whatever goes by that name.
      if (running !== undefined) return running as Promise<D>;
      const started = get(what, signal).finally(() => pending.delete(what.name));
      pending.set(what.name, started);
      return started;
    },
  };
}
