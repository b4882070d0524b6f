/**
 * The WebAssembly backend: the templates of prover/native/ over the arithmetic of prover/wasm/, in the thread that calls it. Runs in
 * Node and in browsers; how the modules get here is the caller's. In a page it belongs into a worker: a proof holds its thread.
 *
 * A key stays outside of the instance's memory. Its lists are copied in one at a time, so that a thread holds the largest of them
 * and no key; what was copied is checked every time, unless it comes from memory that does not change.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Groth16Backend, Groth16Options, KeyMemory, MadeProof } from './backend.ts';
import { errorOf, madeProof, RANDOMNESS_BYTES, sharedMemoryOf } from './engine-answers.ts';

/** The engines, the fastest first: doubles with fused multiplication and addition (relaxed SIMD), and 64-bit integers. */
export const WASM_ENGINES = ['fma', 'portable'] as const;
/** Name of an engine. */
export type WasmEngineName = (typeof WASM_ENGINES)[number];
/** The bytes of prover/wasm/fma.wasm and prover/wasm/portable.wasm; a page may leave one out. */
export type WasmModules = Readonly<Partial<Record<WasmEngineName, Uint8Array<ArrayBuffer>>>>;

/** What prover/wasm/exports.hpp exports; addresses are signed here, statuses are those of prover/native/platform.hpp. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  begin(budgetBytes: number): void;
  reserve(bytes: number): number;
  clear(): void;
  ready(): number;
  memoryNeeded(keyLength: number): number;
  prove(keyLength: number, checked: number, randomness: number, witness: number, witnessLength: number): number;
  proofAddress(): number;
  proofLength(): number;
  multiply(group: number, points: number, scalars: number, count: number, window: number, sum: number): number;
  transform(values: number, exponent: number): number;
}

const LARGEST_ADDRESS = 2 ** 32 - 1;
const NO_KEY = new Uint8Array(0);

/** One instance of an engine. The functions beside `prove` are for tests, as in NativeAddon. */
export class WasmEngine {
  readonly #module: WebAssembly.Module;
  #exports: Exports | undefined;
  #zkey: Uint8Array = NO_KEY;
  #control: Int32Array | undefined;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** Whether this machine can run it. */
  isReady(): boolean {
    return this.#instance().ready() === 1;
  }

  /**
   * Makes a proof.
   * @param checked - an earlier proof found nothing wrong with the same bytes of the key
   * @returns a proof as prover/native/engine.hpp lays it out, or a status
   */
  prove(
    zkey: Uint8Array,
    checked: boolean,
    witness: Uint8Array,
    budgetBytes: number,
    control?: SharedArrayBuffer,
  ): Uint8Array | number {
    this.#zkey = zkey;
    this.#control = control === undefined ? undefined : new Int32Array(control);
    return this.#call(budgetBytes, (own, put) => {
      const randomness = put(new Uint8Array(RANDOMNESS_BYTES));
      const values = put(witness);
      crypto.getRandomValues(this.#bytes(randomness, RANDOMNESS_BYTES));
      const status = own.prove(zkey.length, checked ? 1 : 0, randomness, values, witness.length);
      return status === 0 ? this.#bytes(own.proofAddress(), own.proofLength()).slice() : status;
    });
  }

  /**
   * What the instance takes at most while it makes a proof with this key, its code left out.
   * @throws `STUN_PROVER_KEY` when it is no key
   */
  memoryNeeded(zkey: Uint8Array): number {
    const own = this.#instance();
    const heldBytes = own.memory.buffer.byteLength;
    this.#zkey = zkey;
    const neededBytes = own.memoryNeeded(zkey.length);
    this.#zkey = NO_KEY;
    if (neededBytes === 0) throw errorOf(1, 'WebAssembly');
    return heldBytes + neededBytes;
  }

  /** Lets go of its memory, which never shrinks; the next call has a fresh one. */
  drop(): void {
    this.#exports = undefined;
  }

  /** Sum of scalars (integers below 2^254) times points of group 1 or 2 (as in key files), window in 2..16. */
  multiply(group: 1 | 2, points: Uint8Array, scalars: Uint8Array, window: number): Uint8Array | number {
    return this.#call(LARGEST_ADDRESS, (own, put) => {
      const sum = put(new Uint8Array(64 * group));
      const status = own.multiply(group, put(points), put(scalars), scalars.length / 32, window, sum);
      return status === 0 ? this.#bytes(sum, 64 * group).slice() : status;
    });
  }

  /** Values on a domain to values on its coset, in Montgomery form. */
  transform(values: Uint8Array): Uint8Array | number {
    return this.#call(LARGEST_ADDRESS, (own, put) => {
      const at = put(values);
      const status = own.transform(at, Math.log2(values.length / 32));
      return status === 0 ? this.#bytes(at, values.length).slice() : status;
    });
  }

  /** Its memory as it is now, for tests of what calls leave behind. */
  memory(): Uint8Array {
    return new Uint8Array(this.#instance().memory.buffer);
  }

  #instance(): Exports {
    const host = {
      read: (to: number, offset: number, bytes: number): void =>
        this.#bytes(to, bytes).set(this.#zkey.subarray(offset >>> 0, (offset >>> 0) + (bytes >>> 0))),
      enter: (stage: number): void => void (this.#control && Atomics.store(this.#control, 1, stage)),
      cancelled: (): number => (this.#control === undefined || Atomics.load(this.#control, 0) === 0 ? 0 : 1),
    };
    this.#exports ??= new WebAssembly.Instance(this.#module, { host }).exports as unknown as Exports;
    return this.#exports;
  }

  #bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#instance().memory.buffer, address >>> 0, length >>> 0);
  }

  /** Makes one call in memory that is clean afterwards. */
  #call(
    budgetBytes: number,
    call: (own: Exports, put: (bytes: Uint8Array) => number) => Uint8Array | number,
  ): Uint8Array | number {
    const own = this.#instance();
    let exhausted = false;
    const put = (bytes: Uint8Array): number => {
      const address = own.reserve(bytes.length);
      if (address === 0) exhausted = true;
      else this.#bytes(address, bytes.length).set(bytes);
      return address;
    };
    own.begin(Math.min(budgetBytes, LARGEST_ADDRESS));
    try {
      const answer = call(own, (bytes) => {
        const address = put(bytes);
        if (exhausted) throw errorOf(3, 'WebAssembly');
        return address;
      });
      own.clear();
      return answer;
    } catch (error) {
      // Nobody knows what state it is in.
      new Uint8Array(own.memory.buffer).fill(0);
      this.#exports = undefined;
      throw error;
    } finally {
      this.#zkey = NO_KEY;
      this.#control = undefined;
    }
  }
}

class WasmBackend implements Groth16Backend {
  readonly name = 'wasm';
  readonly engine: WasmEngineName;
  readonly mostThreads = 1;
  readonly leavesGarbage = true;
  readonly #own: WasmEngine;
  /** Keys in memory that does not change, of which a proof has been made. */
  readonly #checked = new WeakSet<SharedArrayBuffer>();

  constructor(engine: WasmEngineName, own: WasmEngine) {
    this.engine = engine;
    this.#own = own;
  }

  measure(zkey: Uint8Array): KeyMemory {
    if (zkey.length > LARGEST_ADDRESS) throw errorOf(3, 'WebAssembly');
    const neededBytes = this.#own.memoryNeeded(zkey);
    this.#own.drop();
    return { keyBytes: 0, proofBytes: () => neededBytes };
  }

  // A promise, because other backends have to wait; this one works here and now.
  async prove(zkey: Uint8Array, witness: Uint8Array, options: Groth16Options): Promise<MadeProof> {
    if (zkey.length > LARGEST_ADDRESS) throw errorOf(3, 'WebAssembly');
    const shared = sharedMemoryOf(zkey);
    const checked = shared !== undefined && this.#checked.has(shared);
    const budgetBytes = options.memoryLimitMb * 2 ** 20 + witness.length;
    const made = this.#own.prove(zkey, checked, witness, budgetBytes, options.control);
    this.#own.drop();
    if (typeof made === 'number') throw errorOf(made, 'WebAssembly');
    if (shared !== undefined) this.#checked.add(shared);
    return madeProof(made);
  }
}

/**
 * The engine of that name.
 * @returns undefined when it is not among the modules or this machine cannot run it
 */
export function wasmEngine(modules: WasmModules, name: WasmEngineName): WasmEngine | undefined {
  const bytes = modules[name];
  if (bytes === undefined || !WebAssembly.validate(bytes)) return undefined;
  const engine = new WasmEngine(new WebAssembly.Module(bytes));
  return engine.isReady() ? engine : undefined;
}

/**
 * The WebAssembly backend with the fastest engine that this machine can run. It uses one thread, whatever is asked for.
 * @param wanted - an engine by name, for comparisons
 * @throws `STUN_CONFIG` when there is none
 */
export function wasmBackend(modules: WasmModules, wanted?: WasmEngineName): Groth16Backend {
  for (const name of wanted === undefined ? WASM_ENGINES : [wanted]) {
    const engine = wasmEngine(modules, name);
    if (engine !== undefined) return new WasmBackend(name, engine);
  }
  throw new StunError('STUN_CONFIG', 'the WebAssembly prover is not available: this machine can run none of its engines');
}
