/** A tiny compiled model: two layers over four features, trained on nothing; the folder is made once for all tests of a process. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileModel } from '#circuits/model/compile.ts';
import { readCompiledFolder, type CompiledFolder } from '#circuits/model/folder.ts';
import { writeOnnx, type Graph, type Initializer } from '#circuits/model/onnx/write-onnx.ts';
import { commitIntegers, type NamedTensor } from '#protocol/index.ts';
import { createInferenceProver } from '#prover/inference-pool.ts';
import type { InferenceProver, InferenceTask } from '#prover/interface.ts';

function floats(name: string, dims: readonly number[], values: readonly number[]): Initializer {
  return { name, type: 'float32', dims, data: new Uint8Array(Float32Array.from(values).buffer) };
}

/** @param bias - of the second score: models that differ in it have other names */
function tinyModel(bias: number): Graph {
  const firstWeights = Array.from({ length: 12 }, (_, i) => ((i * 7) % 11) / 5 - 1);
  return {
    name: 'tiny',
    nodes: [
      { op: 'Gemm', inputs: ['x', 'w1', 'b1'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['a'] },
      { op: 'Gemm', inputs: ['a', 'w2', 'b2'], outputs: ['y'] },
    ],
    initializers: [
      floats('w1', [4, 3], firstWeights),
      floats('b1', [3], [0.5, 0.1, -0.2]),
      floats('w2', [3, 2], [1, -1, 0.5, 0.25, -0.75, 1]),
      floats('b2', [2], [0, bias]),
    ],
    inputs: [{ name: 'x', type: 'float32', dims: [1, 4] }],
    outputs: [{ name: 'y', type: 'float32', dims: [1, 2] }],
  };
}

const made = new Map<number, Promise<CompiledFolder & { readonly directory: string }>>();

/** The compiled folder of the tiny model. */
export function compiledFixture(bias = 0.3): Promise<CompiledFolder & { readonly directory: string }> {
  const known = made.get(bias);
  if (known !== undefined) return known;
  const making = (async () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'stun-compiled-')), 'tiny');
    const rows = Array.from({ length: 16 }, (_, i) => [0, 1, 2, 3].map((j) => ((i * (j + 3)) % 16) / 4 - 2).join(','));
    await compileModel(
      {
        source: writeOnnx(tinyModel(bias)),
        name: 'tiny',
        calibrationCsv: ['a,b,c,d', ...rows].join('\n'),
        labelColumn: null,
        weightBits: 8,
        circom: false,
        outDirectory: directory,
      },
      () => {},
    );
    return { ...(await readCompiledFolder(directory)), directory };
  })();
  made.set(bias, making);
  return making;
}

/** The model's input tensor. */
export function integerInput(folder: CompiledFolder, values: readonly number[]): NamedTensor {
  const { name, dtype, dims } = folder.model.input;
  return { name, dtype, dims, data: Uint8Array.from(values) };
}

/** A prover of the given folders, one thread. */
export function inferenceProver(...directories: readonly string[]): Promise<InferenceProver> {
  return createInferenceProver({
    directories,
    threads: 1,
    queueLimit: 32,
    taskTimeoutMs: 300_000,
    memoryLimitMb: 1024,
    backend: 'auto',
  });
}

/** A task whose proof can be made. @param blindings - field elements */
export function inferenceTaskOf(
  { model, run }: CompiledFolder,
  input: readonly number[],
  blindings: { readonly input: bigint; readonly output: bigint },
): InferenceTask {
  return {
    modelId: model.modelId,
    input,
    inputBlinding: blindings.input,
    outputBlinding: blindings.output,
    inputCommitment: commitIntegers(model.input, input, blindings.input),
    outputCommitment: commitIntegers(model.output, run(input), blindings.output),
  };
}
