/** The native backend: one engine of the addon makes proofs and witnesses. */
import { getRandomValues } from 'node:crypto';
import type { Groth16Backend, Groth16Options, KeyMemory, MadeProof } from './backend.ts';
import { errorOf, madeProof, RANDOMNESS_BYTES, sharedMemoryOf } from './engine-answers.ts';
import { loadNativeAddon, unavailable, type KeyHandle, type NativeAddon } from './native-addon.ts';
import { NativeWitness } from './native-witness.ts';
import { CONTROL_BYTES } from './thread-reply.ts';

/** Proves with one engine of the addon. */
class NativeBackend implements Groth16Backend {
  readonly name = 'native';
  readonly engine: string;
  readonly mostThreads = 256;
  readonly leavesGarbage = false;
  readonly #addon: NativeAddon;
  /** Keys in memory that threads share; others may change from one call to the next and are opened every time. */
  readonly #keys = new WeakMap<SharedArrayBuffer, KeyHandle>();
  readonly #witness: NativeWitness;

  constructor(addon: NativeAddon, engine: string) {
    this.#addon = addon;
    this.engine = engine;
    this.#witness = new NativeWitness(addon, engine);
  }

  makeWitness(...of: Parameters<NativeWitness['make']>): Uint8Array {
    return this.#witness.make(...of);
  }

  #open(zkey: Uint8Array, memoryLimitMb: number): KeyHandle {
    const shared = sharedMemoryOf(zkey);
    const known = shared && this.#keys.get(shared);
    if (known !== undefined) return known;
    const opened = this.#addon.openKey(zkey, this.engine, shared !== undefined, memoryLimitMb);
    if (typeof opened === 'number') throw errorOf(opened, 'native');
    if (shared !== undefined) this.#keys.set(shared, opened);
    return opened;
  }

  measure(zkey: Uint8Array, memoryLimitMb: number): KeyMemory {
    const key = this.#open(zkey, memoryLimitMb);
    return { keyBytes: this.#addon.keyMemory(key), proofBytes: (threads) => this.#addon.proofMemory(key, threads) };
  }

  // A promise, because other backends have to wait; this one works here and now.
  async prove(zkey: Uint8Array, witness: Uint8Array, options: Groth16Options): Promise<MadeProof> {
    const key = this.#open(zkey, options.memoryLimitMb);
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
