/** Collateral from one file, for machines without a network: `{ "version": 1, "collateral": { "tdx-<fmspc>-<ca>": { … } } }`. */
import { readFile, writeFile } from 'node:fs/promises';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CollateralKey, CollateralSource, TdxCollateralDocument } from './source.ts';
import { collateralName, isCollateralDocument } from './source.ts';

/** Fetches the collateral of some platforms and writes a bundle. */
export async function writeCollateralBundle(
  path: string,
  keys: readonly CollateralKey[],
  source: CollateralSource,
): Promise<void> {
  const entries: [string, TdxCollateralDocument][] = [];
  for (const key of keys) entries.push([collateralName(key), await source.tdxCollateral(key)]);
  await writeFile(path, JSON.stringify({ version: 1, collateral: Object.fromEntries(entries) }));
}

/**
 * Opens a bundle as a source.
 * @throws `STUN_FILE` when it cannot be read or is no bundle
 */
export async function openCollateralBundle(path: string): Promise<CollateralSource> {
  const bundle = await readBundle(path);
  return {
    tdxCollateral: async (key: CollateralKey): Promise<TdxCollateralDocument> => {
      const collateral = bundle.get(collateralName(key));
      if (collateral === undefined) throw new StunError('STUN_COLLATERAL_NOT_FOUND', `the bundle has no ${collateralName(key)}`);
      return Promise.resolve(collateral);
    },
  };
}

async function readBundle(path: string): Promise<ReadonlyMap<string, TdxCollateralDocument>> {
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
  const entries = Object.entries(collateral).map(([name, document]): [string, TdxCollateralDocument] => {
    if (!isCollateralDocument(document)) throw new StunError('STUN_FILE', `${path}: ${name.slice(0, 40)} is no collateral`);
    return [name, document];
  });
  return new Map(entries);
}
