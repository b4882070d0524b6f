/** Collateral for evidence: where an issuer gets it, and the way that a worker goes, a file. */
import { readFile } from 'node:fs/promises';
import { StunError } from '#protocol/index.ts';

/**
 * Gets the vendor's collateral of a quote or report, with the fields that docs/attestation.md lists.
 * @param vlek - DER, of a SEV-SNP report that a VLEK signed
 */
export type CollateralFor = (quote: Uint8Array, vlek?: Uint8Array) => Promise<Readonly<Record<string, unknown>>>;

/**
 * From a file that `stun evidence fetch` wrote, read at every issue so that it can be refreshed while the worker runs. It is signed by
 * the vendor: a wrong or old file makes evidence that is refused, never evidence that is wrongly accepted. Throws `STUN_FILE`.
 */
export function collateralFile(path: string): CollateralFor {
  return () => readCollateral(path);
}

async function readCollateral(path: string): Promise<Readonly<Record<string, unknown>>> {
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
