/** A compiled model as the worker serves it: the ONNX file that onnxruntime runs, held to the integer program that the circuit proves. */
import { readCompiledFolder } from '#circuits/model/folder.ts';
import { encodeTensors, StunError, tensorIntegers, type NamedTensor } from '#protocol/index.ts';
import { readModelFile, type CompiledProgram, type ModelFile } from './manifest.ts';
import type { ModelRunner } from './runner.ts';

/**
 * Reads the folder that `stun model compile` wrote. The runner compares the bytes it loads with the digest.
 * @throws `STUN_FILE`, `STUN_MODEL_MANIFEST` when the files do not belong together
 */
export async function readCompiledModel(directory: string): Promise<ModelFile & { readonly compiled: CompiledProgram }> {
  const { model, run, probes, modelPath, manifestPath } = await readCompiledFolder(directory);
  const file = await readModelFile(modelPath, manifestPath);
  if (file.modelSha256 !== `0x${model.modelSha256}`) {
    throw new StunError('STUN_MODEL_MANIFEST', `${modelPath} is not the model of the manifest`);
  }
  return { ...file, modelId: model.modelId, compiled: { model, run, probes } };
}

/** The input tensor of a compiled model from its integers, each within the range of its element type. */
export function inputTensorOf({ model }: CompiledProgram, integers: readonly number[]): NamedTensor {
  const { name, dtype, dims } = model.input;
  const elements = dtype === 'uint8' ? Uint8Array.from(integers) : Uint16Array.from(integers);
  return { name, dtype, dims, data: new Uint8Array(elements.buffer) };
}

/**
 * The output of onnxruntime, held to the integer program.
 * @returns the output's payload and integers
 * @throws `STUN_MODEL_DISAGREES` when one element differs
 */
export function agreedOutput(
  { model, run }: CompiledProgram,
  input: readonly number[],
  outputs: readonly NamedTensor[],
): { readonly payload: Uint8Array; readonly integers: readonly number[] } {
  const payload = encodeTensors(outputs);
  const integers = tensorIntegers(model.output, payload);
  const expected = run(input);
  if (integers.length !== expected.length || integers.some((value, i) => value !== expected[i])) {
    throw new StunError('STUN_MODEL_DISAGREES', 'onnxruntime and the integer program give different outputs');
  }
  return { payload, integers };
}

/**
 * Runs the model on the inputs at which kernels that saturate or round show, before anything is served.
 * @throws `STUN_MODEL_KERNELS` when this machine's kernels are not exact, and the codes of a run
 */
export async function assertExactKernels(runner: Pick<ModelRunner, 'run'>, compiled: CompiledProgram): Promise<void> {
  for (const input of compiled.probes()) {
    const outputs = await runner.run([inputTensorOf(compiled, input)]);
    try {
      agreedOutput(compiled, input, outputs);
    } catch (cause) {
      throw new StunError(
        'STUN_MODEL_KERNELS',
        `${compiled.model.name}: this machine does not compute the integer model exactly`,
        {
          cause,
        },
      );
    }
  }
}
