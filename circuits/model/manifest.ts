/**
 * What a compiled model says of itself. The manifest's exact bytes are hashed into `modelId` together with the verification key and the
 * ceremony, so it names neither the model id nor the ceremony: those stand beside it.
 *
 * It satisfies the worker's manifest of any model (name, inputs, outputs), so a worker runs a compiled model like every other.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { compiledModelId } from '#protocol/commitments.ts';
import type { ModelSetup } from '#protocol/compiled-model.ts';
import { fromHex, toHex, utf8, type Hex } from '#protocol/bytes.ts';
import { fieldToHex } from '#protocol/field.ts';
import type { ClassLabel } from './float/float-model.ts';
import type { OnnxModel } from './onnx/read-onnx.ts';
import type { AccuracyStatement } from './quantise/quantise.ts';
import type { FeatureQuantiser } from './quantise/quantiser.ts';
import { programBounds } from './program/bounds.ts';
import { committedShapes, programBytes, type IntegerProgram } from './program/program.ts';

/** Everything that the manifest is written from. */
export interface ManifestFacts {
  readonly name: string;
  readonly source: Uint8Array;
  readonly model: OnnxModel;
  readonly integerModel: Uint8Array;
  readonly program: IntegerProgram;
  readonly quantisers: readonly FeatureQuantiser[];
  readonly reading: string;
  /** In the order of the scores. */
  readonly classLabels: readonly ClassLabel[];
  readonly accuracy: AccuracyStatement | null;
  readonly constraints: number;
  readonly wires: number;
  readonly vkHash: Hex;
  readonly setup: ModelSetup;
}

const jsonBytes = (document: object): Uint8Array => utf8(`${JSON.stringify(document, null, 2)}\n`);

/** What a manifest repeats of the program, for those who have nothing but the manifest. */
export function repeatedOf(program: IntegerProgram) {
  const { input, outputName, outputScale } = program;
  const outputs = programBounds(program).at(-1)!.length;
  const dtype = input.bytesPerElement === 1 ? 'uint8' : 'uint16';
  return {
    inputs: [{ name: input.name, dtype, dims: [1, input.maxima.length] }],
    outputs: [{ name: outputName, dtype: 'int32', dims: [1, outputs] }],
    committed: committedShapes(program, outputs),
    inputMaxima: input.maxima,
    outputScale,
  } as const;
}

/** The manifest's bytes: JSON with keys in a fixed order, so that the same compilation gives the same bytes. */
export function manifestBytes(facts: ManifestFacts): Uint8Array {
  const { program } = facts;
  const { inputs, outputs, committed, inputMaxima, outputScale } = repeatedOf(program);
  const document = {
    version: 1,
    name: facts.name,
    description: 'Compiled to integers: the circuit beside it proves what this model gives on a committed input.',
    inputs,
    outputs,
    allowNonFiniteInputs: false,
    compiled: {
      sourceSha256: bytesToHex(sha256(facts.source)),
      modelSha256: bytesToHex(sha256(facts.integerModel)),
      programSha256: bytesToHex(sha256(programBytes(program))),
      committed,
      operators: [...new Set(facts.model.nodes.map(({ op }) => op))].toSorted(),
      opset: facts.model.opset,
      reading: facts.reading,
      classLabels: facts.classLabels,
      inputMaxima,
      quantisers: facts.quantisers,
      outputScale,
      accuracy: facts.accuracy,
      constraints: facts.constraints,
      wires: facts.wires,
      setup: facts.setup,
      vkHash: facts.vkHash,
    },
  };
  return jsonBytes(document);
}

/**
 * The same manifest for another key of the same constraints.
 * @param manifest - of a compiled model, which was read before
 */
export function manifestWithKey(manifest: Uint8Array, { vkHash, setup }: Pick<ManifestFacts, 'vkHash' | 'setup'>): Uint8Array {
  const document = JSON.parse(new TextDecoder().decode(manifest)) as { readonly compiled: object };
  return jsonBytes({ ...document, compiled: { ...document.compiled, setup, vkHash } });
}

/** The names under which the chain knows a compiled model. */
export interface ModelIdentity {
  /** 0x and 64 hex digits, docs/protocol.md tag 7. */
  readonly modelId: Hex;
  readonly vkHash: Hex;
  readonly manifestSha256: Hex;
  /** Hash of the transcript of the ceremony; zero for a development key, which has none. */
  readonly ceremonyHash: Hex;
  /** Of the proving key's file; no part of the name, for other keys prove for the same verification key. */
  readonly zkeySha256: Hex;
}

/** Derives them. @param ceremonyHash - 32 bytes. @param zkey - the proving key's file */
export function identityOf(vkHash: Hex, manifest: Uint8Array, ceremonyHash: Uint8Array, zkey: Uint8Array): ModelIdentity {
  const digest = sha256(manifest);
  return {
    modelId: fieldToHex(compiledModelId(fromHex(vkHash, 32, 'vkHash'), digest, ceremonyHash)),
    vkHash,
    manifestSha256: toHex(digest),
    ceremonyHash: toHex(ceremonyHash),
    zkeySha256: toHex(sha256(zkey)),
  };
}
