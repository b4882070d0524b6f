/** Witnesses by the native addon in tests: nothing where it does not run. */
import { readFile } from 'node:fs/promises';
import type { CircuitArtefacts } from '#circuits/manifest.ts';
import type { CircuitSignals } from '#circuits/settlement-input.ts';
import { chooseBackends } from '#prover/backends.ts';
import { nativeBackend } from '#prover/native-backend.ts';

const MEMORY_LIMIT_MB = 512;

/** Bytes in memory of their own that threads could share. */
export function shared(bytes: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  return memory;
}

/** Runs a program with one engine. @param engine - by default the fastest of this machine */
export function nativeRunner(program: Uint8Array, engine?: string): (signals: CircuitSignals) => Uint8Array {
  const [memory, backend] = [shared(program), nativeBackend(engine)];
  return (signals) => backend.makeWitness!(memory, signals, MEMORY_LIMIT_MB);
}

/** Runs a circuit's program, or undefined where no backend does. */
export async function nativeWitnessOf(
  artefacts: CircuitArtefacts,
): Promise<((signals: CircuitSignals) => Uint8Array) | undefined> {
  if (chooseBackends('auto').backends[0]!.makeWitness === undefined) return undefined;
  return nativeRunner(await readFile(artefacts.witnessProgramPath));
}
