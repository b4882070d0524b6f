/**
 * What the parties of a job must agree on about a compiled model: its name on chain, the two tensors that its circuit opens, and how the
 * bytes of a payload become the elements that are committed to. docs/protocol.md sections 2 and 6. The manifest says all of it, and the
 * model id binds the manifest.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { bytesToBigInt, toHex, type Hex } from './bytes.ts';
import { compiledModelId, payloadCommitment, tensorCommitment, type TensorShape } from './commitments.ts';
import { StunError } from './errors/stun-error.ts';
import { decodeErrorPayload } from './sealing/payload.ts';
import { decodeTensors, DTYPES, type Dtype, type NamedTensor } from './tensor-payload.ts';
import { bytes32Hex, readDocument } from './wire/scalars.ts';

/** What is added to a signed element before it is committed to, by element type; unsigned ones stand as they are. */
const BIAS: Readonly<Partial<Record<Dtype, bigint>>> = { uint8: 0n, uint16: 0n, int32: 1n << 31n };

const digestHex = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(1).max(0xffff_ffff);

/** A tensor that a circuit opens: as a payload carries it, and as it is committed to. */
export const committedTensorSchema = z.strictObject({
  name: z.string().min(1).max(256),
  dtype: z.enum(['uint8', 'uint16', 'int32']),
  /** In the payload. */
  dims: z.array(count).min(1).max(16),
  /** In the commitment. */
  shape: z.strictObject({
    dtype: z.int().min(1).max(255),
    scale: z.int().min(0).max(255),
    dims: z.array(count).min(1).max(8),
    bytesPerElement: z.int().min(1).max(8),
  }),
});
export type CommittedTensor = z.infer<typeof committedTensorSchema>;

const tensorSpec = committedTensorSchema.omit({ shape: true });
const shape = committedTensorSchema.shape.shape;

const manifestSchema = z.looseObject({
  version: z.literal(1),
  name: z.string().min(1).max(128),
  inputs: z.tuple([tensorSpec]),
  outputs: z.tuple([tensorSpec]),
  compiled: z.looseObject({
    modelSha256: digestHex,
    programSha256: digestHex,
    inputMaxima: z.array(z.int().min(0).max(65_535)).min(1),
    committed: z.strictObject({ input: shape, output: shape }),
    setup: z.enum(['development', 'rehearsal', 'ceremony']),
    vkHash: bytes32Hex,
  }),
});

/**
 * Where a model's key comes from. `development`: its trapdoor is public. `rehearsal`: of a ceremony over powers of tau that nobody published,
 * so that whoever made them may know the trapdoor. `ceremony`: of published powers; whether one of its contributors was honest the
 * coordinators judge who approve it.
 */
export type ModelSetup = z.infer<typeof manifestSchema>['compiled']['setup'];

/** What the name of a compiled model is made from. */
export interface CompiledModelParts {
  /** The manifest's exact bytes. */
  readonly manifest: Uint8Array;
  /** sha256 of the verification key's fixed encoding, 32 bytes. */
  readonly vkHash: Uint8Array;
  /** 32 bytes; zero for a development key, which has no ceremony. */
  readonly ceremonyHash: Uint8Array;
}

/** A compiled model as its manifest describes it. */
export interface CompiledModel {
  readonly modelId: bigint;
  readonly name: string;
  readonly setup: ModelSetup;
  readonly vkHash: Hex;
  /** Of the ONNX file and of the integer program, hex without prefix. */
  readonly modelSha256: string;
  readonly programSha256: string;
  readonly input: CommittedTensor;
  /** Greatest value of each input element; the least is 0. */
  readonly inputMaxima: readonly number[];
  readonly output: CommittedTensor;
}

function malformed(reason: string, cause?: unknown): never {
  throw new StunError('STUN_MODEL_MANIFEST', reason, cause === undefined ? {} : { cause });
}

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

function committedTensor(spec: Omit<CommittedTensor, 'shape'>, committed: TensorShape): CommittedTensor {
  const { code, bytes } = DTYPES[spec.dtype];
  if (committed.dtype !== code || committed.bytesPerElement !== bytes || sizeOf(committed.dims) !== sizeOf(spec.dims)) {
    malformed(`the committed shape of ${spec.name} is not that of its tensor`);
  }
  return { ...spec, shape: { ...committed, dims: [...committed.dims] } };
}

/**
 * Reads the manifest of a compiled model and derives the model's name. Does not check that anybody vouches for key or ceremony.
 * @throws `STUN_MODEL_MANIFEST` when the manifest is not that of a compiled model, names another verification key, or claims a setup that the
 *   ceremony's hash contradicts
 */
export function compiledModelOf(parts: CompiledModelParts): CompiledModel {
  let document: z.infer<typeof manifestSchema>;
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(parts.manifest));
    document = readDocument(manifestSchema, json, 'manifest of a compiled model');
  } catch (cause) {
    malformed(cause instanceof StunError ? cause.message : 'the manifest of a compiled model is not JSON', cause);
  }
  const { name, inputs, outputs, compiled } = document;
  if (compiled.vkHash !== toHex(parts.vkHash)) malformed('the manifest names another verification key');
  if ((compiled.setup === 'development') !== parts.ceremonyHash.every((byte) => byte === 0))
    malformed(`a key whose setup is ${compiled.setup} has the hash of a ceremony exactly when it is no development key`);
  const input = committedTensor(inputs[0], compiled.committed.input);
  if (compiled.inputMaxima.length !== sizeOf(input.dims)) malformed('the manifest must give a maximum for each input element');
  return {
    modelId: compiledModelId(parts.vkHash, sha256(parts.manifest), parts.ceremonyHash),
    name,
    setup: compiled.setup,
    vkHash: toHex(parts.vkHash),
    modelSha256: compiled.modelSha256,
    programSha256: compiled.programSha256,
    input,
    inputMaxima: compiled.inputMaxima,
    output: committedTensor(outputs[0], compiled.committed.output),
  };
}

/**
 * The integers of the one tensor of a payload, in order.
 * @throws `STUN_TENSOR_*` when the payload holds no tensors; `STUN_MODEL_INPUT_NAME`, `STUN_MODEL_INPUT_DTYPE`, `STUN_MODEL_INPUT_SHAPE` when it
 *   holds others than this one
 */
export function tensorIntegers(tensor: CommittedTensor, payload: Uint8Array): number[] {
  const tensors = decodeTensors(payload);
  const [found] = tensors;
  if (tensors.length !== 1 || found?.name !== tensor.name) {
    throw new StunError('STUN_MODEL_INPUT_NAME', `exactly the tensor ${tensor.name} was expected`);
  }
  if (found.dtype !== tensor.dtype) throw new StunError('STUN_MODEL_INPUT_DTYPE', `${tensor.name} must be ${tensor.dtype}`);
  if (found.dims.length !== tensor.dims.length || found.dims.some((dim, i) => dim !== tensor.dims[i])) {
    throw new StunError('STUN_MODEL_INPUT_SHAPE', `${tensor.name} must have the dimensions ${tensor.dims.join(' x ')}`);
  }
  return integersOf(found);
}

function integersOf({ dtype, data }: NamedTensor): number[] {
  const { bytes } = DTYPES[dtype];
  const bits = 8 * bytes;
  return Array.from({ length: data.length / bytes }, (_, i) => {
    const unsigned = bytesToBigInt(data.slice(i * bytes, (i + 1) * bytes).reverse());
    return Number(dtype === 'int32' ? BigInt.asIntN(bits, unsigned) : unsigned);
  });
}

/** Integers as they are committed to: biased to unsigned. */
export function biasedElements(tensor: Pick<CommittedTensor, 'dtype'>, integers: readonly number[]): bigint[] {
  const bias = BIAS[tensor.dtype] ?? 0n;
  return integers.map((value) => BigInt(value) + bias);
}

/** tensorCommitment of a tensor's integers. @param blinding - a field element. @throws `STUN_INPUT`, `STUN_RANGE` */
export function commitIntegers(tensor: CommittedTensor, integers: readonly number[], blinding: bigint): bigint {
  return tensorCommitment(tensor.shape, biasedElements(tensor, integers), blinding);
}

/**
 * Refuses an input outside its declared range, with the code that compiler, worker and customer share.
 * @param maxima - greatest value of each element
 * @throws `STUN_MODEL_INPUT_RANGE`
 */
export function assertInputRange(maxima: readonly number[], input: readonly number[]): void {
  if (input.length !== maxima.length)
    throw new StunError('STUN_MODEL_INPUT_RANGE', `the model takes ${maxima.length} integers, got ${input.length}`);
  const wrong = input.findIndex((value, i) => !Number.isInteger(value) || value < 0 || value > maxima[i]!);
  if (wrong >= 0) throw new StunError('STUN_MODEL_INPUT_RANGE', `input ${wrong} must be an integer in 0..${maxima[wrong]!}`);
}

/**
 * The commitment that a demand makes to its input: over the elements for a compiled model, over the bytes for every other.
 * @throws for a compiled model the codes of {@link tensorIntegers}
 */
export function inputCommitmentOf(input: CommittedTensor | undefined, payload: Uint8Array, blinding: bigint): bigint {
  if (input === undefined) return payloadCommitment(payload, blinding);
  return commitIntegers(input, tensorIntegers(input, payload), blinding);
}

/** The same for the output of a receipt. The payload of a job that was not served says why, and is committed to as bytes always. */
export function outputCommitmentOf(output: CommittedTensor | undefined, payload: Uint8Array, blinding: bigint): bigint {
  if (decodeErrorPayload(payload) !== undefined) return payloadCommitment(payload, blinding);
  return inputCommitmentOf(output, payload, blinding);
}
