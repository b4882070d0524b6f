/** Every engine of every backend that this machine can run, for tests that hold all of them to the same. */
import type { Groth16Backend } from '#prover/backend.ts';
import { loadNativeAddon } from '#prover/native-addon.ts';
import { nativeBackend } from '#prover/native-backend.ts';
import { WASM_ENGINES, wasmBackend, wasmEngine } from '#prover/wasm-backend.ts';
import { loadWasmModules } from '#prover/wasm-modules.ts';

/** Whether the native backend must be there. */
export const hasNative = process.platform === 'linux' && process.arch === 'x64';

/** What an engine can do besides proofs; as in NativeAddon, with the engine left out. */
export interface EngineArithmetic {
  readonly label: string;
  multiply(group: 1 | 2, points: Uint8Array, scalars: Uint8Array, window: number): Uint8Array | number;
  transform(values: Uint8Array): Uint8Array | number;
}

/** The arithmetic of all engines. */
export function allArithmetic(): readonly EngineArithmetic[] {
  const addon = hasNative ? loadNativeAddon() : undefined;
  const native = (addon?.engineNames() ?? []).map((name) => ({
    label: `native ${name}`,
    multiply: (group: 1 | 2, points: Uint8Array, scalars: Uint8Array, window: number) =>
      addon!.multiply(name, group, points, scalars, window),
    transform: (values: Uint8Array) => addon!.transform(name, values),
  }));
  const modules = loadWasmModules();
  const wasm = WASM_ENGINES.flatMap((name) => {
    const engine = wasmEngine(modules, name);
    if (engine === undefined) return [];
    const multiply: EngineArithmetic['multiply'] = (...args) => engine.multiply(...args);
    return [{ label: `wasm ${name}`, multiply, transform: (values: Uint8Array) => engine.transform(values) }];
  });
  return [...native, ...wasm];
}

/** A backend for each engine; snarkjs is not among them. */
export function allEngineBackends(): readonly Groth16Backend[] {
  const modules = loadWasmModules();
  const wasm = WASM_ENGINES.filter((name) => wasmEngine(modules, name) !== undefined);
  return [
    ...(hasNative ? loadNativeAddon().engineNames() : []).map((name) => nativeBackend(name)),
    ...wasm.map((name) => wasmBackend(modules, name)),
  ];
}
