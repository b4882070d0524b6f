/**
 * What other folders know of the circuits: their names, and artefacts that are there, whole and the ones of this source.
 *
 * Artefacts live in `.stun/circuits/<source hash>/`. Every call compares each file with the hash in its manifest, and the
 * manifest with `circuits/keys/manifest.json` of the repository. Building takes seconds for 16 jobs and
 * about a minute for 256.
 * Keys made here are development keys: see build/development-key.ts for what that means.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import {
  ARTEFACT_FILES,
  buildCircuit,
  circuitSourceHash,
  fileSha256,
  type ArtefactKind,
  type CircuitManifest,
  type CircuitSpec,
} from './build/build-circuit.ts';
import { withLock } from './build/lock.ts';
import { WITNESS_COMPILER } from './witness/compile-program.ts';
import { REPOSITORY_ROOT } from './build/source.ts';
import type { VerificationKey } from './build/verification-key.ts';
import circuitsFile from './circuits.json' with { type: 'json' };

export type { CircuitManifest } from './build/build-circuit.ts';
export type { VerificationKey } from './build/verification-key.ts';

/** Names of the circuits. */
export const CIRCUIT_NAMES = ['settlement-16', 'settlement-64', 'settlement-256', 'settlement-proven-16'] as const;
/** What a service proves with unless told otherwise: the circuit of orders at `attested`, then that of orders above it. */
export const DEFAULT_CIRCUITS = ['settlement-16', 'settlement-proven-16'] as const satisfies readonly CircuitName[];
/** Name of a circuit. */
export type CircuitName = (typeof CIRCUIT_NAMES)[number];

/** A built circuit: paths are absolute. */
export interface CircuitArtefacts {
  readonly name: CircuitName;
  /** Most jobs in one segment. */
  readonly n: number;
  /** Jobs whose commitments are public signals: 0 or n. */
  readonly publishedPairs: number;
  /** Witness calculator of circom. */
  readonly wasmPath: string;
  /** Witness program of circuits/witness/. */
  readonly witnessProgramPath: string;
  /** Proving key. */
  readonly zkeyPath: string;
  /** Constraint system. */
  readonly r1csPath: string;
  /** Names of wires, for diagnosis. */
  readonly symPath: string;
  readonly verificationKey: VerificationKey;
  /** docs/protocol.md section 3. */
  readonly vkHash: Hex;
  readonly familyId: Hex;
  readonly constraints: number;
  /** `development`: the key is insecure and only good for a local chain. */
  readonly setup: CircuitManifest['setup'] | 'ceremony';
}

/** A proving key of a ceremony that was held against the list of allowed keys (ceremony/load-ceremony.ts). */
export interface CeremonyKey {
  /** Name of the circuit. */
  readonly name: string;
  readonly verificationKey: VerificationKey;
  readonly vkHash: Hex;
  readonly familyId: Hex;
  readonly zkeyPath: string;
  /** Hex without prefix. */
  readonly zkeySha256: string;
}

/** Options of {@link ensureCircuit}. */
export interface EnsureOptions {
  /** Told what is being done while a circuit is built; never called when it is cached. */
  readonly progress?: (step: string) => void;
  /** Cache directory, by default `.stun/circuits` of the repository. */
  readonly cacheDirectory?: string;
}

/** Whether a string names a circuit. */
export function isCircuitName(name: string): name is CircuitName {
  return (CIRCUIT_NAMES as readonly string[]).includes(name);
}

/** A circuit's entry in circuits.json. @throws `STUN_CIRCUIT_UNKNOWN` */
export function circuitSpec(name: string): CircuitSpec {
  if (!isCircuitName(name)) throw new StunError('STUN_CIRCUIT_UNKNOWN', `expected one of ${CIRCUIT_NAMES.join(', ')}`);
  return { name, ...circuitsFile.circuits[name] };
}

async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text) as T;
}

/** The manifests that the repository commits to, by circuit name. */
export async function committedManifests(): Promise<Readonly<Partial<Record<CircuitName, CircuitManifest>>>> {
  return (await readJson<Partial<Record<CircuitName, CircuitManifest>>>(COMMITTED_MANIFEST)) ?? {};
}

/** Where the repository keeps its manifest. */
export const COMMITTED_MANIFEST = join(REPOSITORY_ROOT, 'circuits', 'keys', 'manifest.json');

/** The verification keys that count outside development, each with the hash of its ceremony's transcript: docs/ceremony.md. */
export const ALLOWED_KEYS = join(REPOSITORY_ROOT, 'circuits', 'keys', 'allowed-keys.json');

/**
 * The manifest of a circuit as the repository commits to it: vkHash, family and hashes, without building anything.
 * @throws `STUN_CIRCUIT_UNKNOWN`; `STUN_CIRCUIT_ARTEFACT` when the repository has none
 */
export async function loadManifest(name: string): Promise<CircuitManifest> {
  const spec = circuitSpec(name);
  const manifest = (await committedManifests())[spec.name as CircuitName];
  if (manifest === undefined)
    throw new StunError('STUN_CIRCUIT_ARTEFACT', `circuits/keys/manifest.json must have an entry for ${name}`);
  return manifest;
}

/** Compares every file with its manifest. @throws `STUN_CIRCUIT_ARTEFACT` naming the first that differs */
async function verifyFiles(directory: string, manifest: CircuitManifest): Promise<void> {
  const kinds = Object.keys(ARTEFACT_FILES) as ArtefactKind[];
  const actual = await Promise.all(
    kinds.map((kind) => fileSha256(join(directory, ARTEFACT_FILES[kind])).catch(() => 'missing or unreadable')),
  );
  for (const [i, kind] of kinds.entries()) {
    if (actual[i] !== manifest.sha256[kind]) {
      throw new StunError(
        'STUN_CIRCUIT_ARTEFACT',
        `${manifest.name}: ${ARTEFACT_FILES[kind]} in ${directory} must have SHA-256 ${manifest.sha256[kind]}`,
      );
    }
  }
}

function assertSame(built: CircuitManifest, committed: CircuitManifest): void {
  if (!isDeepStrictEqual(built, committed)) {
    throw new StunError(
      'STUN_CIRCUIT_ARTEFACT',
      `${built.name} as built differs from circuits/keys/manifest.json: the sources changed, or the cache was`,
    );
  }
}

/**
 * A circuit's artefacts whatever the repository commits to: for the build command and for tests of changed circuits.
 * @throws `STUN_CIRCUIT_ARTEFACT`, `STUN_CIRCUIT_COMPILE`, `STUN_CIRCUIT_LOCK`, `STUN_CIRCUIT_UNKNOWN`
 */
export async function buildOrLoad(
  name: string,
  options: EnsureOptions = {},
): Promise<{ artefacts: CircuitArtefacts; manifest: CircuitManifest }> {
  const spec = circuitSpec(name);
  const progress = options.progress ?? (() => {});
  const cache = options.cacheDirectory ?? join(REPOSITORY_ROOT, '.stun', 'circuits');
  const directory = join(cache, await circuitSourceHash(spec));
  const cached = async (): Promise<CircuitManifest | undefined> => {
    const found = await readJson<CircuitManifest>(join(directory, 'manifest.json'));
    // Another compiler of witness programs changes no key and no source hash, but this file.
    return found?.witnessCompiler === WITNESS_COMPILER ? found : undefined;
  };
  const manifest =
    (await cached()) ??
    (await withLock(
      `${directory}.lock`,
      () => progress(`waiting for another process that builds ${name}`),
      async () => (await cached()) ?? (await buildCircuit(directory, spec, progress)),
    ));
  await verifyFiles(directory, manifest);
  const verificationKey = await readJson<VerificationKey>(join(directory, ARTEFACT_FILES.verificationKey));
  const artefacts: CircuitArtefacts = {
    name: spec.name as CircuitName,
    n: manifest.n,
    publishedPairs: spec.publishedPairs,
    wasmPath: join(directory, ARTEFACT_FILES.wasm),
    witnessProgramPath: join(directory, ARTEFACT_FILES.witness),
    zkeyPath: join(directory, ARTEFACT_FILES.zkey),
    r1csPath: join(directory, ARTEFACT_FILES.r1cs),
    symPath: join(directory, ARTEFACT_FILES.sym),
    verificationKey: verificationKey!,
    vkHash: manifest.vkHash,
    familyId: manifest.familyId,
    constraints: manifest.constraints,
    setup: manifest.setup,
  };
  return { artefacts, manifest };
}

/**
 * The artefacts of a circuit, built first if they are not there; safe to call from several processes at once.
 * @throws `STUN_CIRCUIT_UNKNOWN` for a name that is none, `STUN_CIRCUIT_ARTEFACT` when a file or the whole build differs from its
 *   manifest, `STUN_CIRCUIT_COMPILE`, `STUN_CIRCUIT_LOCK`
 */
export async function ensureCircuit(name: string, options: EnsureOptions = {}): Promise<CircuitArtefacts> {
  const { artefacts, manifest } = await buildOrLoad(name, options);
  assertSame(manifest, await loadManifest(name));
  return artefacts;
}
