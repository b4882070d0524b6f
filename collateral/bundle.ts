/** Collateral in one file, for machines without a network: `{ "version": 1, "collateral": { "<name>": … } }`, names of `published.ts`. */
import { readFile, writeFile } from 'node:fs/promises';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CollateralLoader, Published } from './published.ts';

/** A loader that remembers what it gave. */
export interface BundlingLoader extends CollateralLoader {
  /** Writes everything that was loaded so far as a bundle. @throws `STUN_FILE` */
  readonly writeBundle: (path: string) => Promise<void>;
}

/** Remembers what another loader gives, to carry it to a machine without a network. */
export function createBundlingLoader(inner: CollateralLoader): BundlingLoader {
  const loaded = new Map<string, unknown>();
  return {
    load: async <D>(what: Published<D>, signal?: AbortSignal): Promise<D> => {
      const document = await inner.load(what, signal);
      loaded.set(what.name, document);
      return document;
    },
    writeBundle: async (path) => {
      try {
        await writeFile(path, JSON.stringify({ version: 1, collateral: Object.fromEntries(loaded) }));
      } catch (cause) {
        throw new StunError('STUN_FILE', `the collateral bundle ${path} cannot be written`, { cause });
      }
    },
  };
}

/**
 * Opens a bundle as a loader. Nothing is fetched: what the bundle lacks is not found.
 * @throws `STUN_FILE` when it cannot be read or is no bundle; on loading, when an entry has not the form of its name
 */
export async function openCollateralBundle(path: string): Promise<CollateralLoader> {
  const bundle = await readBundle(path);
  return {
    load: <D>(what: Published<D>): Promise<D> => {
      const document = bundle.get(what.name);
      if (document === undefined)
        return Promise.reject(new StunError('STUN_COLLATERAL_NOT_FOUND', `the bundle ${path} has no ${what.name}`));
      if (!what.accepts(document))
        return Promise.reject(new StunError('STUN_FILE', `${path}: ${what.name} has not the form of its name`));
      return Promise.resolve(document);
    },
  };
}

async function readBundle(path: string): Promise<ReadonlyMap<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (thrown) {
    throw new StunError('STUN_FILE', `the collateral bundle ${path} cannot be read`, { cause: thrown });
  }
  const fields = new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  const collateral: unknown = fields.get('collateral');
  if (fields.get('version') !== 1 || typeof collateral !== 'object' || collateral === null) {
    throw new StunError('STUN_FILE', `${path} is no collateral bundle of version 1`);
  }
  return new Map(Object.entries(collateral));
}
