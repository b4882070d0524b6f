/**
 * Which proving keys a command uses: development keys on the development chain, elsewhere folders of finished ceremonies, held against the list
 * of allowed keys, the published powers of tau and the circuits of this checkout.
 */
import { parseAllowedKeys, StunError, type AllowedKey } from '#protocol/index.ts';
import { loadCeremony, type AcceptedCeremony } from '#circuits/ceremony/load-ceremony.ts';
import { PUBLISHED_POWERS } from '#circuits/ceremony/powers-of-tau.ts';
import { ALLOWED_KEYS, loadManifest } from '#circuits/manifest.ts';
import type { ProverOptions } from '#prover/pool.ts';
import { DEVELOPMENT_CHAIN_ID } from '#chain/dev-chain.ts';
import { readJson } from '../settings.ts';

/** Options that name ceremonies. */
export interface CeremonyOptions {
  readonly ceremony?: readonly string[];
  readonly allowedKeys?: string;
}

/**
 * Loads the folders.
 * @param allowedKeysPath - the list; undefined for the one that the repository commits to
 * @throws `STUN_FILE`, `STUN_INPUT`, and what {@link loadCeremony} throws
 */
export async function loadCeremonies(
  folders: readonly string[],
  allowedKeysPath: string | undefined,
): Promise<{ allowed: readonly AllowedKey[]; ceremonies: readonly AcceptedCeremony[] }> {
  const allowed = parseAllowedKeys(await readJson(allowedKeysPath ?? ALLOWED_KEYS, 'list of allowed keys'));
  const circuitOf = async (name: string): Promise<{ r1csSha256: string; n: number }> => {
    const { n, sha256 } = await loadManifest(name);
    return { r1csSha256: sha256.r1cs, n };
  };
  const ceremonies = [];
  for (const folder of folders) ceremonies.push(await loadCeremony(folder, { allowed, table: PUBLISHED_POWERS, circuitOf }));
  return { allowed, ceremonies };
}

/**
 * The keys to prove with.
 * @param developmentCircuits - circuits to prove with development keys: none outside the development chain, where such proofs settle nothing
 * @throws `STUN_CONFIG`, and as {@link loadCeremonies}
 */
export async function provingKeys(
  chainId: number,
  developmentCircuits: readonly string[],
  options: CeremonyOptions,
): Promise<Pick<ProverOptions, 'circuits' | 'ceremonies'>> {
  if (chainId !== DEVELOPMENT_CHAIN_ID && developmentCircuits.length > 0) {
    const named = developmentCircuits.join(', ');
    throw new StunError(
      'STUN_CONFIG',
      `--ceremony must be given: development keys (${named}) are refused outside chain ${DEVELOPMENT_CHAIN_ID}`,
    );
  }
  if (options.ceremony === undefined) return { circuits: developmentCircuits };
  const { ceremonies } = await loadCeremonies(options.ceremony, options.allowedKeys);
  return { circuits: developmentCircuits, ceremonies };
}
