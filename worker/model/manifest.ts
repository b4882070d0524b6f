/**
 * The manifest beside a model: what the model takes and gives, in words that customers read before they seal anything.
 * Its exact bytes are hashed into modelId together with the model's, so it cannot be changed without changing the model's name.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  DTYPES,
  opaqueModelIdOfDigests,
  readDocument,
  StunError,
  type CompiledModel,
  type Dtype,
  type Hex,
} from '#protocol/index.ts';

const dtypeNames = Object.keys(DTYPES) as [Dtype, ...Dtype[]];

/** One input or output. A string names a dimension that may take any size, the same wherever the name stands. */
export const tensorSpecSchema = z.strictObject({
  name: z.string().min(1).max(256),
  dtype: z.enum(dtypeNames),
  dims: z.array(z.union([z.int().min(0), z.string().min(1).max(64)])).max(16),
});
export type TensorSpec = z.infer<typeof tensorSpecSchema>;

/** The manifest. Further keys are the model owner's; they are hashed like the rest and mean nothing here. */
export const manifestSchema = z.looseObject({
  version: z.literal(1),
  name: z.string().min(1).max(128),
  description: z.string().max(4096),
  inputs: z.array(tensorSpecSchema).min(1).max(256),
  outputs: z.array(tensorSpecSchema).min(1).max(256),
  /** Whether NaN and infinities may be sent. */
  allowNonFiniteInputs: z.boolean(),
});
export type ModelManifest = z.infer<typeof manifestSchema>;

/** What onnxruntime is held to: an integer program with the tensors that it takes and gives. */
export interface ExactProgram {
  readonly model: Pick<CompiledModel, 'name' | 'input' | 'output'>;
  /** The integer program run plainly. */
  readonly run: (input: readonly number[]) => number[];
  /** Inputs at which arithmetic that is not exact shows. */
  readonly probes: () => number[][];
}

/** An exact program with its ONNX file. */
export interface ProgramStages extends ExactProgram {
  readonly onnx: Uint8Array;
}

/** What of a compiled model the worker needs beside the file that it runs: worker/model/compiled.ts. */
export interface CompiledProgram extends ExactProgram {
  readonly model: CompiledModel;
  /** Its linear work alone, in which every accumulator can be driven to its ends; null when there is none. */
  readonly stages: () => ProgramStages | null;
}

/** A model as it lies on disk: its name on chain, its manifest and the digest that the loaded bytes must have. */
export interface ModelFile {
  readonly modelPath: string;
  readonly modelSha256: Hex;
  readonly modelId: bigint;
  readonly manifest: ModelManifest;
  /** What its ONNX file is held to, for a compiled model. */
  readonly compiled?: CompiledProgram;
}

async function sha256OfFile(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest();
}

/**
 * Reads model and manifest and computes modelId (opaque models, docs/protocol.md tag 6).
 * Does not load the model: the runner compares the bytes it loads with `modelSha256`.
 * @throws `STUN_FILE` when a file cannot be read, `STUN_MODEL_MANIFEST` when the manifest is malformed
 */
export async function readModelFile(modelPath: string, manifestPath: string): Promise<ModelFile> {
  let manifestBytes: Buffer;
  let modelDigest: Buffer;
  try {
    manifestBytes = await readFile(manifestPath);
    modelDigest = await sha256OfFile(modelPath);
  } catch (cause) {
    throw new StunError('STUN_FILE', `model ${modelPath} and manifest ${manifestPath} must be readable files`, { cause });
  }
  return {
    modelPath,
    modelSha256: `0x${modelDigest.toString('hex')}`,
    modelId: opaqueModelIdOfDigests(modelDigest, createHash('sha256').update(manifestBytes).digest()),
    manifest: parseManifest(manifestBytes),
  };
}

/** @throws `STUN_MODEL_MANIFEST` */
export function parseManifest(bytes: Uint8Array): ModelManifest {
  try {
    const document: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return readDocument(manifestSchema, document, 'model manifest');
  } catch (cause) {
    const reason = cause instanceof StunError ? cause.message : 'the model manifest is not JSON';
    throw new StunError('STUN_MODEL_MANIFEST', reason, { cause });
  }
}

function sameSpec(manifest: TensorSpec, model: TensorSpec): boolean {
  return (
    manifest.name === model.name &&
    manifest.dtype === model.dtype &&
    manifest.dims.length === model.dims.length &&
    // A dimension that the graph leaves open may be fixed or named otherwise in the manifest; a fixed one must be the same.
    manifest.dims.every((dim, i) => typeof model.dims[i] === 'string' || dim === model.dims[i])
  );
}

/**
 * Checks that the manifest describes the loaded graph: same tensors in the same order, same types, fixed dimensions equal.
 * @throws `STUN_MODEL_MANIFEST` naming the first tensor that differs
 */
export function assertManifestMatches(
  manifest: ModelManifest,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): void {
  for (const [kind, described, actual] of [
    ['input', manifest.inputs, inputs],
    ['output', manifest.outputs, outputs],
  ] as const) {
    if (described.length !== actual.length) {
      throw new StunError(
        'STUN_MODEL_MANIFEST',
        `the model has ${actual.length} ${kind}s, its manifest lists ${described.length}`,
      );
    }
    for (const [i, spec] of actual.entries()) {
      if (!sameSpec(described[i]!, spec)) {
        throw new StunError('STUN_MODEL_MANIFEST', `${kind} ${i} (${spec.name}) differs between model and manifest`);
      }
    }
  }
}
