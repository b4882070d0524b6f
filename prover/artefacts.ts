/**
 * Proving keys and witness programs in memory, once per process: the key's bytes in a SharedArrayBuffer and the compiled witness
 * program are handed to every thread, which copies neither.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import {
  ensureCircuit,
  loadManifest,
  type CeremonyKey,
  type CircuitArtefacts,
  type VerificationKey,
} from '#circuits/manifest.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

/** What a thread needs for one circuit; structured-cloneable. */
export interface ProvingArtefacts {
  readonly name: string;
  /** Most jobs in one segment. */
  readonly n: number;
  /** Jobs whose commitments are public signals: 0 or n. */
  readonly publishedPairs: number;
  /** 32 bytes, docs/protocol.md section 3. */
  readonly familyId: string;
  readonly verificationKey: VerificationKey;
  /** `development`: proofs under this key are worth nothing outside a local chain. */
  readonly setup: CircuitArtefacts['setup'];
  readonly zkey: SharedArrayBuffer;
  /** circom's witness program. */
  readonly calculator: WebAssembly.Module;
  /** Ours, of circuits/witness/. */
  readonly witnessProgram: SharedArrayBuffer;
}

/** SHA-256 digests, hex without prefix. */
export interface ArtefactHashes {
  readonly zkey: string;
  readonly wasm: string;
  readonly witness: string;
}

/**
 * Reads a file into memory that threads share, and checks the bytes that were read, not the file.
 * @throws `STUN_FILE` when it cannot be read, `STUN_PROVER_KEY` when its SHA-256 is another
 */
export async function readShared(path: string, sha256: string): Promise<SharedArrayBuffer> {
  let shared: SharedArrayBuffer;
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    shared = new SharedArrayBuffer(size);
    const bytes = new Uint8Array(shared);
    for (let offset = 0; offset < size;) {
      const { bytesRead } = await file.read(bytes, offset, size - offset, offset);
      if (bytesRead === 0) throw new Error(`the file ended after ${offset} of ${size} bytes`);
      offset += bytesRead;
    }
  } catch (cause) {
    throw new StunError('STUN_FILE', `cannot read the proving artefact ${path}`, { cause });
  }
  const actual = createHash('sha256').update(new Uint8Array(shared)).digest('hex');
  if (actual !== sha256) {
    throw new StunError('STUN_PROVER_KEY', `${path} must have SHA-256 ${sha256}, got ${actual}`);
  }
  return shared;
}

/**
 * Loads the artefacts of one circuit.
 * @param circuit - paths and keys as circuits/manifest.ts gives them
 * @param sha256 - what the manifest says of the files
 * @throws `STUN_FILE`, `STUN_PROVER_KEY`
 */
export async function loadArtefacts(circuit: CircuitArtefacts, sha256: ArtefactHashes): Promise<ProvingArtefacts> {
  const [zkey, wasm, witnessProgram] = await Promise.all([
    readShared(circuit.zkeyPath, sha256.zkey),
    readShared(circuit.wasmPath, sha256.wasm),
    readShared(circuit.witnessProgramPath, sha256.witness),
  ]);
  return {
    name: circuit.name,
    n: circuit.n,
    publishedPairs: circuit.publishedPairs,
    familyId: circuit.familyId,
    verificationKey: circuit.verificationKey,
    setup: circuit.setup,
    zkey,
    // The compiler takes no shared memory, hence the copy; it is freed at once.
    calculator: await WebAssembly.compile(new Uint8Array(wasm).slice()),
    witnessProgram,
  };
}

/**
 * Builds or finds the named circuits and loads them, then the circuits of the ceremonies with the ceremonies' keys.
 * @param names - names in circuits/circuits.json, with development keys
 * @param progress - told what is built; never called when all is cached
 * @param ceremonies - keys that the list of allowed keys names
 * @throws `STUN_CONFIG` without a circuit; `STUN_CIRCUIT_*`, `STUN_FILE`, `STUN_PROVER_KEY`
 */
export async function loadCircuits(
  names: readonly string[],
  progress: (step: string) => void = () => {},
  ceremonies: readonly CeremonyKey[] = [],
): Promise<readonly ProvingArtefacts[]> {
  if (names.length + ceremonies.length === 0) throw new StunError('STUN_CONFIG', 'a prover needs at least one circuit');
  const loaded: ProvingArtefacts[] = [];
  for (const name of new Set(names)) {
    const circuit = await ensureCircuit(name, { progress });
    loaded.push(await loadArtefacts(circuit, (await loadManifest(name)).sha256));
  }
  for (const { name, zkeySha256, ...key } of ceremonies) {
    // Witness programs belong to the circuit, whatever the key.
    const circuit = await ensureCircuit(name, { progress });
    const { sha256 } = await loadManifest(name);
    loaded.push(await loadArtefacts({ ...circuit, ...key, setup: 'ceremony' }, { ...sha256, zkey: zkeySha256 }));
  }
  return loaded;
}
