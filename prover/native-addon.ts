/**
 * The native addon: prover/native/, C++ and assembly behind Node-API. Its binary is committed beside its source for linux-x64
 * and loaded only when it has the digest of prover/native/manifest.json.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { StunError } from '#protocol/errors/stun-error.ts';
import manifest from './native/manifest.json' with { type: 'json' };

/** An opened key; the addon keeps its bytes. */
export type KeyHandle = object & { readonly opened: unique symbol };

/** An opened witness program. */
export type ProgramHandle = object & { readonly program: unique symbol };

/** What prover/native/addon.cpp exports. A number in place of a result is a status of prover/native/platform.hpp. */
export interface NativeAddon {
  /** Engines that this machine can run, the fastest first. */
  engineNames(): readonly string[];
  /**
   * `shared`: prepared once for all threads that open this memory, whose bytes must not change any more. `budgetMb`: what preparing may
   * allocate; the first to open it decides.
   */
  openKey(zkey: Uint8Array, engine: string, shared: boolean, budgetMb: number): KeyHandle | number;
  /** As `openKey`; the program's bytes are copied. */
  openProgram(program: Uint8Array, engine: string, shared: boolean, budgetMb: number): ProgramHandle | number;
  /** Fills `witness`, 32 bytes for each wire. A status; to that for a broken rule 256 times its number is added. */
  runProgram(program: ProgramHandle, inputs: Uint8Array, witness: Uint8Array, budgetMb: number): number;
  /** Bytes that a prepared key takes, and those that one proof with it takes besides. */
  keyMemory(key: KeyHandle): number;
  proofMemory(key: KeyHandle, threads: number): number;
  prove(
    key: KeyHandle,
    witness: Uint8Array,
    randomness: Uint8Array,
    control: Uint8Array,
    threads: number,
    budgetMb: number,
  ): Uint8Array | number;
  /** Sum of scalars (integers below 2^254) times points of group 1 or 2 (as in key files), window in 2..16; for tests. */
  multiply(engine: string, group: 1 | 2, points: Uint8Array, scalars: Uint8Array, window: number): Uint8Array | number;
  /** Values on a domain to values on its coset, in Montgomery form; for tests. */
  transform(engine: string, values: Uint8Array): Uint8Array | number;
}

const PLATFORM = 'linux-x64';

/** Why there is no native backend. */
export function unavailable(reason: string, cause?: unknown): StunError {
  return new StunError('STUN_CONFIG', `the native prover is not available: ${reason}`, cause === undefined ? {} : { cause });
}

/**
 * Loads the addon.
 * @throws `STUN_CONFIG` on another platform, or when the binary is missing, changed or does not load
 */
export function loadNativeAddon(): NativeAddon {
  if (`${process.platform}-${process.arch}` !== PLATFORM) throw unavailable(`it is built for ${PLATFORM} only`);
  const path = fileURLToPath(new URL(`./native/${PLATFORM}.node`, import.meta.url));
  const expected = manifest.binariesSha256['linux-x64.node'];
  try {
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (digest === expected) return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (cause) {
    throw unavailable(`${path} does not load`, cause);
  }
  throw unavailable(`${path} must have SHA-256 ${expected}`);
}
