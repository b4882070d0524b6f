/** Collateral that `stun evidence fetch` left in a file, read at every issue so that it can be refreshed while the worker runs. */
import { readFile } from 'node:fs/promises';
import { StunError } from '#protocol/index.ts';

/**
 * Reads it. It is signed by the vendor: a wrong or old file makes evidence that is refused, never evidence that is wrongly accepted.
 * @throws `STUN_FILE`
 */
export async function readCollateralFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new StunError('STUN_FILE', `collateral ${path} must be a readable JSON file`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new StunError('STUN_FILE', `collateral ${path} must be a JSON object`);
  }
  return { ...value };
}
