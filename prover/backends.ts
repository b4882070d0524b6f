/** Which backends a prover uses on this machine, in which order, and why not the others. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { BACKEND_NAMES, type BackendName, type Groth16Backend } from './backend.ts';
import { nativeBackend } from './native-backend.ts';
import { snarkjsBackend } from './snarkjs-backend.ts';
import { wasmBackend } from './wasm-backend.ts';
import { loadWasmModules } from './wasm-modules.ts';

/** `auto`: the fastest that this machine can run, and the others after it. */
export const BACKEND_WISHES = ['auto', ...BACKEND_NAMES] as const;
export type BackendWish = (typeof BACKEND_WISHES)[number];

/** What STUN_PROVER_BACKEND asks for; `auto` when it is not set. @throws `STUN_CONFIG` for another value */
export function backendWishOf(env: Readonly<Record<string, string | undefined>>): BackendWish {
  const wanted = env['STUN_PROVER_BACKEND'] ?? 'auto';
  const wish = BACKEND_WISHES.find((one) => one === wanted);
  if (wish === undefined) throw new StunError('STUN_CONFIG', `STUN_PROVER_BACKEND must be one of ${BACKEND_WISHES.join(', ')}`);
  return wish;
}

const makers: Readonly<Record<BackendName, () => Groth16Backend>> = {
  native: () => nativeBackend(),
  wasm: () => wasmBackend(loadWasmModules()),
  snarkjs: () => snarkjsBackend,
};

/** What was chosen. */
export interface ChosenBackends {
  /** The first makes the proofs; the others try again what it got wrong, in this order. Never empty. */
  readonly backends: readonly Groth16Backend[];
  /** Why a backend is not among them, by name. */
  readonly unavailable: Readonly<Partial<Record<BackendName, string>>>;
}

/**
 * Chooses backends for this machine. Never asks for more than memory and processor; loads no key.
 * @param wish - a name means that one first; it must be available
 * @throws `STUN_CONFIG` when the wished one is not
 */
export function chooseBackends(wish: BackendWish): ChosenBackends {
  const backends: Groth16Backend[] = [];
  const unavailable: Partial<Record<BackendName, string>> = {};
  for (const name of BACKEND_NAMES) {
    try {
      backends.push(makers[name]());
    } catch (error) {
      if (!(error instanceof StunError) || name === wish) throw error;
      unavailable[name] = error.message;
    }
  }
  const start = wish === 'auto' ? 0 : backends.findIndex((backend) => backend.name === wish);
  return { backends: backends.slice(start), unavailable };
}

/** The backends of these names, in this order: what a thread makes for itself. @throws `STUN_CONFIG` when one is not available here */
export function backendsNamed(names: readonly BackendName[]): readonly Groth16Backend[] {
  return names.map((name) => makers[name]());
}
