/**
 * A cache of collateral on disk, in front of another source. One file per platform family, written atomically.
 *
 * Fresh for `maxAgeSeconds`; after that it is fetched again, and only when that fails the old copy serves until its own
 * nextUpdate. Expired or damaged files are never served.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CollateralKey, CollateralSource, TdxCollateralDocument } from './source.ts';
import { collateralName, isCollateralDocument } from './source.ts';

/** How the cache behaves. */
export interface DiskCacheOptions {
  readonly folder: string;
  readonly maxAgeSeconds: number;
  /** The time, unix seconds. */
  readonly nowUnix: () => number;
}

interface Entry {
  readonly fetchedAtUnix: number;
  readonly expiresAtUnix: number;
  readonly collateral: TdxCollateralDocument;
}

/** The earlier nextUpdate of the two signed texts, unix seconds. CRLs are judged by the verifier. */
function expiryOf(collateral: TdxCollateralDocument): number {
  const ends = [collateral.tcb_info, collateral.qe_identity].map((text) => {
    const match = /"nextUpdate":"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)"/.exec(text);
    return match?.[1] === undefined ? Number.NaN : Date.parse(match[1]) / 1000;
  });
  const end = Math.min(...ends);
  if (!Number.isFinite(end)) throw new StunError('STUN_COLLATERAL_RESPONSE', 'expected a nextUpdate in both signed texts');
  return end;
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { fetchedAtUnix, expiresAtUnix, collateral } = value as Partial<Record<keyof Entry, unknown>>;
  return Number.isSafeInteger(fetchedAtUnix) && Number.isSafeInteger(expiresAtUnix) && isCollateralDocument(collateral);
}

/** Puts a cache in front of a source. Calls for the same platform that overlap share one fetch. */
export function createDiskCache(source: CollateralSource, options: DiskCacheOptions): CollateralSource {
  const pending = new Map<string, Promise<TdxCollateralDocument>>();

  const read = async (name: string): Promise<Entry | null> => {
    try {
      const value: unknown = JSON.parse(await readFile(join(options.folder, `${name}.json`), 'utf8'));
      return isEntry(value) && value.expiresAtUnix === expiryOf(value.collateral) ? value : null;
    } catch {
      return null; // absent or damaged: fetch again
    }
  };

  const write = async (name: string, entry: Entry): Promise<void> => {
    await mkdir(options.folder, { recursive: true });
    const temporary = join(options.folder, `.${name}.${randomUUID()}`);
    await writeFile(temporary, JSON.stringify(entry));
    await rename(temporary, join(options.folder, `${name}.json`));
  };

  const load = async (key: CollateralKey, name: string, signal: AbortSignal | undefined): Promise<TdxCollateralDocument> => {
    const now = options.nowUnix();
    const kept = await read(name);
    const usable = kept !== null && kept.fetchedAtUnix <= now && now < kept.expiresAtUnix ? kept : null;
    if (usable !== null && now < usable.fetchedAtUnix + options.maxAgeSeconds) return usable.collateral;
    try {
      const collateral = await source.tdxCollateral(key, signal);
      await write(name, { fetchedAtUnix: now, expiresAtUnix: expiryOf(collateral), collateral });
      return collateral;
    } catch (thrown) {
      if (usable !== null && thrown instanceof StunError && thrown.code === 'STUN_COLLATERAL_UNAVAILABLE')
        return usable.collateral;
      throw thrown;
    }
  };

  return {
    async tdxCollateral(key: CollateralKey, signal?: AbortSignal): Promise<TdxCollateralDocument> {
      const name = collateralName(key);
      const running = pending.get(name);
      if (running !== undefined) return running;
      const started = load(key, name, signal).finally(() => pending.delete(name));
      pending.set(name, started);
      return started;
    },
  };
}
