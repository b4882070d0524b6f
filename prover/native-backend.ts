/**
 * The native backend: prover/native/, C++ and assembly behind Node-API. Its binary is committed beside its source for linux-x64
 * and loaded only when it has the digest of prover/native/manifest.json.
 */
import { createHash, getRandomValues } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Groth16Backend, Groth16Options, MadeProof } from './backend.ts';
import { errorOf, madeProof, RANDOMNESS_BYTES, sharedMemoryOf } from './engine-answers.ts';
import { CONTROL_BYTES } from './thread-reply.ts';
import manifest from './native/manifest.json' with { type: 'json' };

/** An opened key; the addon keeps its bytes. */
type KeyHandle = object & { readonly opened: unique symbol };

/** What prover/native/addon.cpp exports. A number in place of a result is a status of prover/native/platform.hpp. */
export interface NativeAddon {
  /** Engines that this machine can run, the fastest first. */
  engineNames(): readonly string[];
  /** `shared`: prepared once for all threads that open this memory, whose bytes must not change any more. */
  openKey(zkey: Uint8Array, engine: string, shared: boolean): KeyHandle | number;
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

function unavailable(reason: string, cause?: unknown): StunError {
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

/** Proves with one engine of the addon. */
class NativeBackend implements Groth16Backend {
  readonly name = 'native';
  readonly engine: string;
  readonly #addon: NativeAddon;
  /** Keys in memory that threads share; others may change from one call to the next and are opened every time. */
  readonly #keys = new WeakMap<SharedArrayBuffer, KeyHandle>();

  constructor(addon: NativeAddon, engine: string) {
    this.#addon = addon;
    this.engine = engine;
  }

  #open(zkey: Uint8Array): KeyHandle {
    const shared = sharedMemoryOf(zkey);
    const known = shared && this.#keys.get(shared);
    if (known !== undefined) return known;
    const opened = this.#addon.openKey(zkey, this.engine, shared !== undefined);
    if (typeof opened === 'number') throw errorOf(opened, 'native');
    if (shared !== undefined) this.#keys.set(shared, opened);
    return opened;
  }

  // A promise, because other backends have to wait; this one works here and now.
  async prove(zkey: Uint8Array, witness: Uint8Array, options: Groth16Options): Promise<MadeProof> {
    const key = this.#open(zkey);
    const randomness = getRandomValues(new Uint8Array(RANDOMNESS_BYTES));
    const control = new Uint8Array(options.control ?? new ArrayBuffer(CONTROL_BYTES));
    try {
      const made = this.#addon.prove(key, witness, randomness, control, options.threads, options.memoryLimitMb);
      if (typeof made === 'number') throw errorOf(made, 'native');
      return madeProof(made);
    } finally {
      randomness.fill(0);
    }
  }
}

/**
 * The native backend with the fastest engine that this machine can run.
 * @param wanted - an engine by name, for comparisons
 * @throws `STUN_CONFIG` when there is none
 */
export function nativeBackend(wanted?: string): Groth16Backend {
  const addon = loadNativeAddon();
  const names = addon.engineNames();
  const engine = wanted === undefined ? names[0] : names.find((name) => name === wanted);
  if (engine === undefined) throw unavailable(`this machine has the engines ${names.join(', ')}, not ${wanted}`);
  return new NativeBackend(addon, engine);
}
