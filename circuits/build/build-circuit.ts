/**
 * Builds one circuit into its cache directory: constraints, witness calculator, witness program, development key, verification key, manifest.
 * The directory appears whole or not at all: everything is written beside it and renamed at the end.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { buildBn128 } from 'ffjavascript';
import type { Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { publicSignalNames } from '#protocol/terms.ts';
import { compileWitnessProgram, WITNESS_COMPILER } from '../witness/compile-program.ts';
import { compileCircuit, COMPILER } from './compile.ts';
import { DEVELOPMENT_TRAPDOOR, writeDevelopmentKey, type Progress } from './development-key.ts';
import { readR1cs } from './r1cs.ts';
import { collectSources, sourceHash } from './source.ts';
import { assertNotForgeable, readVerificationKey, settlementFamilyOf, vkHashOf } from './verification-key.ts';

/** Level of the shipping circuits; it changes constraints, key and verifier. */
const LEVEL = 'O2';
/** Changes whenever the way keys are made changes, so that old caches are not taken for new ones. */
const RECIPE = `${COMPILER} ${LEVEL} development-key/v1`;

/** File names inside a cache directory. */
export const ARTEFACT_FILES = {
  r1cs: 'circuit.r1cs',
  wasm: 'circuit.wasm',
  sym: 'circuit.sym',
  zkey: 'circuit.zkey',
  verificationKey: 'verification-key.json',
  witness: 'circuit.witness',
} as const;

/** Kind of artefact file. */
export type ArtefactKind = keyof typeof ARTEFACT_FILES;

/** A circuit as circuits.json names it. */
export interface CircuitSpec {
  readonly name: string;
  /** Source with the main component, relative to the repository root. */
  readonly main: string;
  /** Jobs in one segment. */
  readonly n: number;
  /** Jobs whose commitments are public signals: 0 or n. */
  readonly publishedPairs: number;
  /** Solidity contract of its verifier. */
  readonly verifier: string;
}

/** What was built, and from what; all hashes SHA-256, hex. */
export interface CircuitManifest {
  readonly name: string;
  readonly n: number;
  readonly sourceHash: string;
  readonly compiler: string;
  readonly level: string;
  /** Version of the compiler of witness programs. */
  readonly witnessCompiler: string;
  /** `development`: the trapdoor is public and the key insecure. */
  readonly setup: 'development';
  readonly constraints: number;
  readonly wires: number;
  readonly publicSignals: number;
  readonly vkHash: Hex;
  readonly familyId: Hex;
  readonly sha256: Readonly<Record<ArtefactKind, string>>;
}

/** SHA-256 of a file, hex. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Identity of a circuit's sources together with compiler, level and key recipe. */
export async function circuitSourceHash(spec: CircuitSpec): Promise<string> {
  return sourceHash(await collectSources(spec.main), RECIPE);
}

async function buildInto(directory: string, spec: CircuitSpec, hash: string, progress: Progress): Promise<CircuitManifest> {
  const path = (kind: ArtefactKind): string => join(directory, ARTEFACT_FILES[kind]);
  progress(`compiling ${spec.main} at ${LEVEL}`);
  await compileCircuit(spec.main, directory, { level: LEVEL, outputs: ['r1cs', 'wasm', 'sym'] });
  progress('compiling the witness program');
  await writeFile(path('witness'), await compileWitnessProgram(spec.main, directory));
  const r1cs = await readR1cs(path('r1cs'));
  const curve = await buildBn128(true);
  await writeDevelopmentKey(curve, r1cs, DEVELOPMENT_TRAPDOOR, path('zkey'), progress);
  const key = assertNotForgeable(await readVerificationKey(path('zkey')));
  await writeFile(path('verificationKey'), `${JSON.stringify(key, null, 1)}\n`);
  progress('hashing');
  const kinds = Object.keys(ARTEFACT_FILES) as ArtefactKind[];
  const hashes = await Promise.all(kinds.map(async (kind) => [kind, await fileSha256(path(kind))] as const));
  const vkHash = vkHashOf(key);
  return {
    name: spec.name,
    n: spec.n,
    sourceHash: hash,
    compiler: COMPILER,
    level: LEVEL,
    witnessCompiler: WITNESS_COMPILER,
    setup: 'development',
    constraints: r1cs.constraintCount,
    wires: r1cs.wireCount,
    publicSignals: r1cs.publicCount,
    vkHash,
    familyId: settlementFamilyOf(spec.n, vkHash),
    sha256: Object.fromEntries(hashes) as Record<ArtefactKind, string>,
  };
}

/** Removes what builds of the same circuit left behind when they were killed. CALLER holds the circuit's lock. */
export async function removeAbandoned(directory: string): Promise<void> {
  const parent = dirname(directory);
  const prefix = `${basename(directory)}.building-`;
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

/**
 * Builds a circuit.
 * @param directory - cache directory to appear; the caller holds its lock
 * @throws `STUN_CIRCUIT_COMPILE`, `STUN_CIRCUIT_WITNESS`; `STUN_CIRCUIT_R1CS` when the public signals are not as many as declared
 */
export async function buildCircuit(directory: string, spec: CircuitSpec, progress: Progress): Promise<CircuitManifest> {
  const publicSignals = publicSignalNames(spec.publishedPairs).length;
  const scratch = `${directory}.building-${process.pid}`;
  await mkdir(dirname(directory), { recursive: true });
  await removeAbandoned(directory);
  await mkdir(scratch);
  try {
    const manifest = await buildInto(scratch, spec, await circuitSourceHash(spec), progress);
    if (manifest.publicSignals !== publicSignals) {
      throw new StunError(
        'STUN_CIRCUIT_R1CS',
        `${spec.name} must have ${publicSignals} public signals, got ${manifest.publicSignals}`,
      );
    }
    await writeFile(join(scratch, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await rm(directory, { recursive: true, force: true });
    await rename(scratch, directory);
    return manifest;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
