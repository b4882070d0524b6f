/** A compiled model as the worker serves it: the ONNX file that onnxruntime runs, held to the integer program that the circuit proves. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { readCompiledFolder } from '#circuits/model/folder.ts';
import { encodeTensors, StunError, tensorIntegers, toHex, type CommittedTensor, type NamedTensor } from '#protocol/index.ts';
import {
  readModelFile,
  type CompiledProgram,
  type ExactProgram,
  type ModelFile,
  type ModelManifest,
  type ProgramStages,
  type TensorSpec,
} from './manifest.ts';
import type { SessionSettings } from './runner-messages.ts';
import { ModelRunner, type JobLimits } from './runner.ts';

/**
 * Reads the folder that `stun model compile` wrote. The runner compares the bytes it loads with the digest.
 * @throws `STUN_FILE`, `STUN_MODEL_MANIFEST` when the files do not belong together
 */
export async function readCompiledModel(directory: string): Promise<ModelFile & { readonly compiled: CompiledProgram }> {
  const { model, run, probes, stages, modelPath, manifestPath } = await readCompiledFolder(directory);
  const file = await readModelFile(modelPath, manifestPath);
  if (file.modelSha256 !== `0x${model.modelSha256}`) {
    throw new StunError('STUN_MODEL_MANIFEST', `${modelPath} is not the model of the manifest`);
  }
  return { ...file, modelId: model.modelId, compiled: { model, run, probes, stages } };
}

/** The input tensor of a compiled model from its integers, each within the range of its element type. */
export function inputTensorOf({ model }: Pick<ExactProgram, 'model'>, integers: readonly number[]): NamedTensor {
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
  { model, run }: Pick<ExactProgram, 'model' | 'run'>,
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
 * Starts a runner on the stages of a compiled model, whose file is gone when it has started.
 * @throws the codes of a start
 */
async function startStages({ model, onnx }: ProgramStages, settings: SessionSettings, limits: JobLimits): Promise<ModelRunner> {
  const directory = await mkdtemp(join(tmpdir(), 'stun-stages-'));
  const modelPath = join(directory, 'stages.onnx');
  const spec = ({ name, dtype, dims }: CommittedTensor): TensorSpec => ({ name, dtype, dims });
  const manifest: ModelManifest = {
    version: 1,
    name: model.name,
    description: 'Stages of a compiled model',
    inputs: [spec(model.input)],
    outputs: [spec(model.output)],
    allowNonFiniteInputs: false,
  };
  try {
    await writeFile(modelPath, onnx, { mode: 0o600 });
    return await ModelRunner.start({ modelPath, modelSha256: toHex(sha256(onnx)), modelId: 0n, manifest }, settings, limits);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Runs the stages of a compiled model, in a process of their own, at both ends of accumulators behind the first layer, which no input of the
 * model itself reaches. Nothing to do for an ensemble.
 * @param limits - of a job; the output is the accumulators, which are as large as they are
 * @throws `STUN_MODEL_KERNELS` when this machine's kernels are not exact, and the codes of a start and a run
 */
export async function assertExactStages(compiled: CompiledProgram, settings: SessionSettings, limits: JobLimits): Promise<void> {
  const stages = compiled.stages();
  if (stages === null) return;
  const runner = await startStages(stages, settings, { ...limits, outputBytes: Number.MAX_SAFE_INTEGER });
  try {
    await assertExactKernels(runner, stages);
  } finally {
    runner.close();
  }
}

/**
 * Runs the model on the inputs at which kernels that saturate or round show, before anything is served.
 * @throws `STUN_MODEL_KERNELS` when this machine's kernels are not exact, and the codes of a run
 */
export async function assertExactKernels(runner: Pick<ModelRunner, 'run'>, compiled: ExactProgram): Promise<void> {
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
