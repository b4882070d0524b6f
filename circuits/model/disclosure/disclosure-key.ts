/**
 * DEVELOPMENT keys of disclosure circuits, made on the spot from the shape alone: the same on every machine, and forgeable by anybody
 * (build/development-key.ts). A disclosure that a stranger shall believe needs a ceremony for its shape: of the constraints written here.
 */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { buildBn128 } from 'ffjavascript';
import type { TensorShape } from '#protocol/commitments.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { DEVELOPMENT_TRAPDOOR, writeDevelopmentKey, type Progress } from '../../build/development-key.ts';
import { parseR1cs } from '../../build/r1cs.ts';
import { REPOSITORY_ROOT } from '../../build/source.ts';
import { assertNotForgeable, readVerificationKey, type VerificationKey } from '../../build/verification-key.ts';
import { r1csBytes } from '../constraints/r1cs-file.ts';
import type { ConstraintSystem } from '../constraints/system.ts';
import { disclosureSystem } from './disclosure-circuit.ts';

/**
 * The constraint file of a shape's circuit, which its ceremony is about: written to the cache anew, the same bytes for everybody.
 * @returns its path
 * @throws `STUN_INPUT` for a shape without elements or with too many, `STUN_FILE`
 */
export async function writeDisclosureR1cs(shape: TensorShape): Promise<string> {
  const bytes = r1csBytes(disclosureSystem(shape));
  const path = join(REPOSITORY_ROOT, '.stun', 'circuits', `disclosure-${bytesToHex(sha256(bytes)).slice(0, 16)}.r1cs`);
  const scratch = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(scratch, bytes);
    await rename(scratch, path);
  } catch (cause) {
    throw new StunError('STUN_FILE', `${path} cannot be written`, { cause });
  }
  return path;
}

/** What proves and verifies disclosures from outputs of one shape. */
export interface DisclosureKeys {
  readonly system: ConstraintSystem;
  /** Bytes of a `zkey` file. */
  readonly zkey: Uint8Array;
  readonly verificationKey: VerificationKey;
  readonly setup: 'development';
}

/**
 * Makes them; some seconds for a few elements.
 * @param progress - called before each longer step
 * @throws `STUN_INPUT` for a shape without elements or with too many
 */
export async function makeDisclosureKeys(shape: TensorShape, progress: Progress): Promise<DisclosureKeys> {
  const system = disclosureSystem(shape);
  const folder = await mkdtemp(join(tmpdir(), 'stun-disclosure-'));
  try {
    const path = join(folder, 'circuit.zkey');
    await writeDevelopmentKey(await buildBn128(true), parseR1cs(r1csBytes(system)), DEVELOPMENT_TRAPDOOR, path, progress);
    const verificationKey = assertNotForgeable(await readVerificationKey(path));
    return { system, zkey: new Uint8Array(await readFile(path)), verificationKey, setup: 'development' };
  } finally {
    await rm(folder, { recursive: true });
  }
}
