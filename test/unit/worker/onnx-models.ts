/** Small ONNX models for tests, written on the spot. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '#protocol/index.ts';
import { readModelFile, type ModelFile } from '#worker/model/manifest.ts';
import { ModelRunner, type JobLimits } from '#worker/model/runner.ts';
import type { SessionSettings } from '#worker/model/runner-messages.ts';
import { writeOnnx, type Graph, type ValueInfo } from '#circuits/model/onnx/write-onnx.ts';

export const CPU: SessionSettings = { executionProvider: 'cpu', fallbackToCpu: false, threads: 1 };
export const LIMITS: JobLimits = { timeoutMs: 20_000, memoryBytes: 2 ** 31, outputBytes: 1 << 24 };

/** y = x + x over a vector of any length; strings and booleans pass through unchanged. */
export function doubling(type: Dtype | 'string' = 'float32'): Graph {
  const value = (name: string): ValueInfo => ({ name, type, dims: ['n'] });
  const op = type === 'string' || type === 'bool' ? 'Identity' : 'Add';
  const inputs = op === 'Add' ? ['x', 'x'] : ['x'];
  return { name: 'doubling', nodes: [{ op, inputs, outputs: ['y'] }], inputs: [value('x')], outputs: [value('y')] };
}

/** Passes a vector of any type through. */
export function identity(type: Dtype): Graph {
  return { ...doubling(type), nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }] };
}

/** Two inputs of types of their own and two outputs: left + right over a shared size, and the transpose of a matrix. */
export function twoByTwo(): Graph {
  return {
    name: 'two-by-two',
    nodes: [
      { op: 'Add', inputs: ['left', 'right'], outputs: ['sum'] },
      { op: 'Transpose', inputs: ['matrix'], outputs: ['turned'] },
    ],
    inputs: [
      { name: 'left', type: 'int64', dims: ['n'] },
      { name: 'right', type: 'int64', dims: ['n'] },
      { name: 'matrix', type: 'uint8', dims: ['rows', 3] },
    ],
    outputs: [
      { name: 'sum', type: 'int64', dims: ['n'] },
      { name: 'turned', type: 'uint8', dims: [3, 'rows'] },
    ],
  };
}

/** Doubles x as often as it is told: runs for ever on demand. */
export function looping(): Graph {
  const body: Graph = {
    name: 'body',
    nodes: [
      { op: 'Identity', inputs: ['goOn'], outputs: ['goOnAfter'] },
      { op: 'Add', inputs: ['value', 'value'], outputs: ['valueAfter'] },
    ],
    inputs: [
      { name: 'turn', type: 'int64', dims: [] },
      { name: 'goOn', type: 'bool', dims: [] },
      { name: 'value', type: 'float32', dims: ['n'] },
    ],
    outputs: [
      { name: 'goOnAfter', type: 'bool', dims: [] },
      { name: 'valueAfter', type: 'float32', dims: ['n'] },
    ],
  };
  return {
    name: 'looping',
    nodes: [{ op: 'Loop', inputs: ['turns', 'always', 'x'], outputs: ['y'], attributes: { body: { graph: body } } }],
    inputs: [
      { name: 'turns', type: 'int64', dims: [] },
      { name: 'x', type: 'float32', dims: ['n'] },
    ],
    outputs: [{ name: 'y', type: 'float32', dims: ['n'] }],
    initializers: [{ name: 'always', type: 'bool', dims: [], data: Uint8Array.of(1) }],
  };
}

/** Makes a tensor of as many zeros as it is told, then turns it: takes memory on demand. */
export function swelling(): Graph {
  return {
    name: 'swelling',
    nodes: [
      { op: 'ConstantOfShape', inputs: ['shape'], outputs: ['zeros'] },
      { op: 'Exp', inputs: ['zeros'], outputs: ['ones'] },
      { op: 'ReduceSum', inputs: ['ones'], outputs: ['sum'], attributes: { keepdims: 0 } },
    ],
    inputs: [{ name: 'shape', type: 'int64', dims: [1] }],
    outputs: [{ name: 'sum', type: 'float32', dims: [] }],
  };
}

/** Picks rows by index: onnxruntime itself refuses an index out of range. */
export function gathering(): Graph {
  return {
    name: 'gathering',
    nodes: [{ op: 'Gather', inputs: ['x', 'index'], outputs: ['y'], attributes: { axis: 0 } }],
    inputs: [
      { name: 'x', type: 'float32', dims: ['n'] },
      { name: 'index', type: 'int64', dims: ['m'] },
    ],
    outputs: [{ name: 'y', type: 'float32', dims: ['m'] }],
  };
}

/** The manifest text of a graph. */
export function manifestOf(graph: Graph, change: Readonly<Record<string, unknown>> = {}): string {
  const spec = (value: ValueInfo) => ({ name: value.name, dtype: value.type, dims: value.dims });
  return JSON.stringify({
    version: 1,
    name: graph.name,
    description: 'a model for tests',
    inputs: graph.inputs.map(spec),
    outputs: graph.outputs.map(spec),
    allowNonFiniteInputs: false,
    ...change,
  });
}

/** Writes model and manifest to a folder of their own. */
export async function writeModel(
  graph: Graph,
  manifest = manifestOf(graph),
): Promise<{ modelPath: string; manifestPath: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'stun-model-'));
  const paths = { modelPath: join(folder, 'model.onnx'), manifestPath: join(folder, 'manifest.json') };
  await writeFile(paths.modelPath, writeOnnx(graph));
  await writeFile(paths.manifestPath, manifest);
  return paths;
}

export async function modelFileOf(graph: Graph, manifest = manifestOf(graph)): Promise<ModelFile> {
  const { modelPath, manifestPath } = await writeModel(graph, manifest);
  return readModelFile(modelPath, manifestPath);
}

/** Starts a runner on a graph. */
export async function runnerOf(
  graph: Graph,
  limits: Partial<JobLimits> = {},
  manifest = manifestOf(graph),
): Promise<ModelRunner> {
  return ModelRunner.start(await modelFileOf(graph, manifest), CPU, { ...LIMITS, ...limits });
}
