/** Which keys a disclosure is proven and verified with: development keys made on the spot, or the key of a ceremony that a list allows. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { parseAllowedKeys, StunError, type DisclosedTensor, type ModelSetup } from '#protocol/index.ts';
import { ALLOWED_KEYS } from '#circuits/manifest.ts';
import type { ConstraintSystem } from '#circuits/model/constraints/system.ts';
import type { CommandContext } from '../command.ts';
import { readJson } from '../settings.ts';
import { setupOf, tableOf, type PowersOptions } from './ceremony-steps.ts';

/** Options that name a ceremony; without it keys are development keys. */
export interface DisclosureKeyOptions extends Pick<PowersOptions, 'rehearsalTable'> {
  readonly ceremony?: string;
  readonly allowedKeys?: string;
}

/** What proves and verifies disclosures from outputs of one shape. */
export interface ChosenKeys {
  readonly setup: ModelSetup;
  readonly system: ConstraintSystem;
  /** Fixed encoding, docs/protocol.md section 3. */
  readonly keyBytes: Uint8Array;
  /** The proving key's file. @throws `STUN_FILE`, `STUN_PROVER_KEY` when it is another than the transcript names */
  readonly zkey: () => Promise<Uint8Array>;
}

/**
 * The keys that the options choose.
 * @throws `STUN_INPUT` for a shape that cannot be disclosed from or options that need a ceremony, and what `loadCeremonyKey` throws
 */
export async function disclosureKeys(
  { shape }: DisclosedTensor,
  options: DisclosureKeyOptions,
  context: CommandContext,
): Promise<ChosenKeys> {
  const { ceremony: folder, allowedKeys, rehearsalTable } = options;
  const { verificationKeyBytes } = await import('#circuits/build/verification-key.ts');
  if (folder === undefined) {
    if (allowedKeys !== undefined || rehearsalTable !== undefined)
      throw new StunError(
        'STUN_INPUT',
        '--allowed-keys and --rehearsal-table are about a ceremony: name its folder with --ceremony',
      );
    const { makeDisclosureKeys } = await import('#circuits/model/disclosure/disclosure-key.ts');
    const { system, verificationKey, zkey, setup } = await makeDisclosureKeys(shape, context.progress);
    return { setup, system, keyBytes: verificationKeyBytes(verificationKey), zkey: () => Promise.resolve(zkey) };
  }
  const [{ disclosureSystem }, { r1csBytes }, { loadCeremonyKey }] = await Promise.all([
    import('#circuits/model/disclosure/disclosure-circuit.ts'),
    import('#circuits/model/constraints/r1cs-file.ts'),
    import('#circuits/ceremony/load-ceremony.ts'),
  ]);
  const system = disclosureSystem(shape);
  const r1csSha256 = bytesToHex(sha256(r1csBytes(system)));
  const { verificationKey, zkeyPath, zkeySha256 } = await loadCeremonyKey(folder, {
    allowed: parseAllowedKeys(await readJson(allowedKeys ?? ALLOWED_KEYS, 'list of allowed keys')),
    table: await tableOf(rehearsalTable, context),
    circuitOf: () => Promise.resolve({ r1csSha256, n: null }),
  });
  return {
    setup: setupOf(rehearsalTable),
    system,
    keyBytes: verificationKeyBytes(verificationKey),
    zkey: async () => {
      const { readShared } = await import('#prover/artefacts.ts');
      return new Uint8Array(await readShared(zkeyPath, zkeySha256));
    },
  };
}

const NOTICES: Readonly<Record<ModelSetup, string>> = {
  development: 'DEVELOPMENT KEY: anyone can forge such a proof, so that it convinces nobody yet.',
  rehearsal: 'REHEARSAL KEY: whoever made its powers of tau can forge such a proof.',
  ceremony: 'key of a ceremony that the list of allowed keys names',
};

/** What people are told of the key. */
export function setupNotice(setup: ModelSetup): string {
  return `setup    ${NOTICES[setup]}`;
}
