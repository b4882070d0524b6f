/** The folder that compiling a model leaves: what a worker serves, what a prover proves with, what a customer checks. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { parseTranscript } from '#protocol/ceremony.ts';
import { compiledModelOf, type CompiledModel } from '#protocol/compiled-model.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { bytes32Hex, readDocument } from '#protocol/wire/scalars.ts';
import { verificationKeyBytes, type VerificationKey } from '../build/verification-key.ts';
import { PUBLISHED_POWERS, type PublishedPowers } from '../ceremony/powers-of-tau.ts';
import { repeatedOf } from './manifest.ts';
import { integerOnnx } from './program/integer-onnx.ts';
import { interpret } from './program/interpret.ts';
import { extremeInputs } from './program/probes.ts';
import { committedShapes, type IntegerProgram } from './program/program.ts';
import { readProgram } from './program/read-program.ts';
import { stagesOf } from './program/stages.ts';
import type { FeatureQuantiser } from './quantise/quantiser.ts';

/** Files in the output folder. */
export const MODEL_FILES = {
  /** What the worker runs. */
  model: 'model.onnx',
  manifest: 'manifest.json',
  /** The integer program, from which witnesses are made. */
  program: 'program.json',
  r1cs: 'circuit.r1cs',
  zkey: 'circuit.zkey',
  verificationKey: 'verification-key.json',
  /** modelId, vkHash, manifest digest, ceremony hash. */
  identity: 'identity.json',
  /** Of the key's ceremony; a development key has none. */
  transcript: 'transcript.json',
} as const;

/** What a worker tries before it serves: `stagesOf` a program. */
export interface Stages {
  /** Names the two tensors as the worker's runner takes and gives them. */
  readonly model: Pick<CompiledModel, 'name' | 'input' | 'output'>;
  readonly onnx: Uint8Array;
  readonly run: CompiledFolder['run'];
  readonly probes: CompiledFolder['probes'];
}

const identitySchema = z.strictObject({
  modelId: bytes32Hex,
  vkHash: bytes32Hex,
  manifestSha256: bytes32Hex,
  ceremonyHash: bytes32Hex,
  zkeySha256: bytes32Hex,
});

/** A compiled model as it lies on disk, its parts checked against each other. */
export interface CompiledFolder {
  readonly model: CompiledModel;
  /** The manifest's exact bytes. */
  readonly manifest: Uint8Array;
  readonly program: IntegerProgram;
  /** How raw features become the input's integers, one for each of its elements. */
  readonly quantisers: readonly FeatureQuantiser[];
  /** Size of the circuit as the manifest states it. */
  readonly constraints: number;
  readonly wires: number;
  /** The integer program run plainly. @throws `STUN_MODEL_INPUT_RANGE` */
  readonly run: (input: readonly number[]) => number[];
  /** Inputs at which arithmetic that is not exact shows. */
  readonly probes: () => number[][];
  /** The linear work of the program alone, in which every accumulator can be driven to its ends; null when there is none. */
  readonly stages: () => Stages | null;
  readonly verificationKey: VerificationKey;
  /** Its fixed encoding, docs/protocol.md section 3. */
  readonly verificationKeyBytes: Uint8Array;
  /** Zero for a development key. */
  readonly ceremonyHash: Uint8Array;
  readonly modelPath: string;
  readonly manifestPath: string;
  readonly r1csPath: string;
  readonly zkeyPath: string;
  /** Hex without prefix. */
  readonly zkeySha256: string;
}

/**
 * Reads what `compileModel` or `adoptKey` wrote. ONNX file, constraints and proving key are not read: whoever loads them compares the digests that
 * stand here. Of a ceremony it is checked that the transcript is the one that the model id binds, of this key and, unless it says that it is
 * a rehearsal, of published powers; the ceremony itself is verified by those who adopt and approve the key.
 * @param published - digests of powers of tau that count: {@link PUBLISHED_POWERS} but for tests
 * @throws `STUN_FILE` when a file cannot be read, `STUN_MODEL_MANIFEST` when the files do not belong together, `STUN_CEREMONY_TRANSCRIPT`,
 *   `STUN_CEREMONY_INCOMPLETE`, `STUN_CEREMONY_PTAU_DIGEST`
 */
export async function readCompiledFolder(
  directory: string,
  published: readonly PublishedPowers[] = PUBLISHED_POWERS,
): Promise<CompiledFolder> {
  const path = (kind: keyof typeof MODEL_FILES): string => join(directory, MODEL_FILES[kind]);
  const read = async (kind: keyof typeof MODEL_FILES): Promise<Uint8Array> => {
    try {
      return new Uint8Array(await readFile(path(kind)));
    } catch (cause) {
      throw new StunError('STUN_FILE', `${path(kind)} of a compiled model must be a readable file`, { cause });
    }
  };
  const [manifest, programBytes, keyBytes, identityBytes] = await Promise.all([
    read('manifest'),
    read('program'),
    read('verificationKey'),
    read('identity'),
  ]);
  const identity = readPart(identitySchema, identityBytes, MODEL_FILES.identity);
  const verificationKey = parsed(keyBytes, MODEL_FILES.verificationKey) as VerificationKey;
  const encoded = encodedKey(verificationKey);
  const ceremonyHash = fromHex(identity.ceremonyHash, 32, 'ceremonyHash');
  const model = compiledModelOf({ manifest, vkHash: sha256(encoded), ceremonyHash });
  if (fieldToHex(model.modelId) !== identity.modelId) different(`${MODEL_FILES.identity} names another model`);
  if (bytesToHex(sha256(programBytes)) !== model.programSha256) different(`${MODEL_FILES.program} is not that of the manifest`);
  if (model.setup !== 'development') {
    assertTranscript(await read('transcript'), identity, model.setup === 'ceremony' ? published : undefined);
  }
  const program = readProgram(programBytes, 'STUN_MODEL_MANIFEST');
  const stated = statedOf(manifest, program);
  return {
    model,
    manifest,
    program,
    ...stated,
    run: (input) => interpret(program, input),
    probes: () => extremeInputs(program),
    stages: () => readStages(model.name, program),
    verificationKey,
    verificationKeyBytes: encoded,
    ceremonyHash,
    modelPath: path('model'),
    manifestPath: path('manifest'),
    r1csPath: path('r1cs'),
    zkeyPath: path('zkey'),
    zkeySha256: identity.zkeySha256.slice(2),
  };
}

function readStages(name: string, program: IntegerProgram): Stages | null {
  const stages = stagesOf(program);
  if (stages === null) return null;
  const probes = extremeInputs(stages);
  const { input, outputName } = stages;
  const run: Stages['run'] = (integers) => interpret(stages, integers);
  const outputs = run(probes[0]!).length;
  const shapes = committedShapes(stages, outputs);
  return {
    model: {
      name,
      input: {
        name: input.name,
        dtype: input.bytesPerElement === 1 ? 'uint8' : 'uint16',
        dims: [1, input.maxima.length],
        shape: { ...shapes.input, dims: [...shapes.input.dims] },
      },
      output: {
        name: outputName,
        dtype: 'int32',
        dims: [1, outputs],
        shape: { ...shapes.output, dims: [...shapes.output.dims] },
      },
    },
    onnx: integerOnnx(stages),
    run,
    probes: () => probes,
  };
}

/** @param published - undefined where powers of tau need not be published */
function assertTranscript(
  bytes: Uint8Array,
  { ceremonyHash, vkHash, zkeySha256 }: z.infer<typeof identitySchema>,
  published: readonly PublishedPowers[] | undefined,
): void {
  if (toHex(sha256(bytes)) !== ceremonyHash) different(`${MODEL_FILES.transcript} is not that of the model's ceremony`);
  const { key, powersOfTau } = parseTranscript(new TextDecoder().decode(bytes));
  if (key.vkHash !== vkHash || `0x${key.zkeySha256}` !== zkeySha256) different(`${MODEL_FILES.transcript} is of another key`);
  if (published?.every((row) => row.blake2b512 !== powersOfTau.blake2b512) === true) {
    throw new StunError(
      'STUN_CEREMONY_PTAU_DIGEST',
      'the ceremony of the model is of powers of tau that are not published: a rehearsal',
    );
  }
}

const finite = z.number();
const quantiser: z.ZodType<FeatureQuantiser> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('affine'), low: finite, step: finite.positive(), maximum: z.int().min(0) }),
  z.strictObject({ kind: z.literal('ranks'), thresholds: z.array(finite), inclusive: z.boolean() }),
]);
const repeated = z.unknown();
const count = z.int().min(1);
const statement = z.looseObject({
  inputs: repeated,
  outputs: repeated,
  compiled: z.looseObject({
    committed: repeated,
    inputMaxima: repeated,
    outputScale: repeated,
    quantisers: z.array(quantiser),
    constraints: count,
    wires: count,
  }),
});

/** What the manifest states of the program, held to the program. */
function statedOf(manifest: Uint8Array, program: IntegerProgram): Pick<CompiledFolder, 'quantisers' | 'constraints' | 'wires'> {
  const document = readPart(statement, manifest, MODEL_FILES.manifest);
  const { quantisers, constraints, wires } = document.compiled;
  const said: Readonly<Record<string, unknown>> = { ...document.compiled, inputs: document.inputs, outputs: document.outputs };
  for (const [field, value] of Object.entries(repeatedOf(program)))
    if (!isDeepStrictEqual(said[field], value)) different(`${field} of the manifest are not those of ${MODEL_FILES.program}`);
  const greatest = quantisers.map((one) => (one.kind === 'affine' ? one.maximum : one.thresholds.length));
  if (!isDeepStrictEqual(greatest, program.input.maxima))
    different('the manifest must give a quantiser for each input element, with its maximum');
  return { quantisers, constraints, wires };
}

function different(reason: string, cause?: unknown): never {
  throw new StunError('STUN_MODEL_MANIFEST', reason, cause === undefined ? {} : { cause });
}

function parsed(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    return different(`${name} of a compiled model is not JSON`, cause);
  }
}

function readPart<T>(schema: z.ZodType<T>, bytes: Uint8Array, name: string): T {
  try {
    return readDocument(schema, parsed(bytes, name), name);
  } catch (cause) {
    return different((cause as Error).message, cause);
  }
}

/** A key of another form has no encoding. */
function encodedKey(key: VerificationKey): Uint8Array {
  try {
    return verificationKeyBytes(key);
  } catch (cause) {
    return different(`${MODEL_FILES.verificationKey} is no verification key`, cause);
  }
}
