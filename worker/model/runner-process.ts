/**
 * The process in which onnxruntime runs one model. It is apart from the worker so that a job that hangs, grows or crashes can be
 * ended without the keys and the other jobs. It is given no key and no connection of the
 * worker's, and of its environment what child-environment.ts lists; the network of the machine is not kept from it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { DTYPES, StunError, type Dtype, type NamedTensor } from '#protocol/index.ts';
import type { TensorSpec } from './manifest.ts';
import type { LoadedSession, RunnerReply, RunnerRequest, SessionSettings } from './runner-messages.ts';

// onnxruntime-node 1.30 cannot read a Float16Array ("not enough space"): without the class it takes float16 as Uint16Array.
Reflect.deleteProperty(globalThis, 'Float16Array');

const views = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  float16: Uint16Array,
  float64: Float64Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
} as const satisfies Record<Dtype, unknown>;

function isDtype(type: string): type is Dtype {
  return Object.hasOwn(DTYPES, type);
}

function specOf(value: InferenceSession.ValueMetadata): TensorSpec {
  if (!value.isTensor) throw new StunError('STUN_MODEL_LOAD', `${value.name} is no tensor`);
  if (value.type === 'string') throw new StunError('STUN_TENSOR_STRING', `${value.name} holds strings`);
  if (!isDtype(value.type)) throw new StunError('STUN_MODEL_LOAD', `${value.name} has the element type ${value.type}`);
  // A dimension without size or name is open: it gets a name of its own, for names that agree must have one size.
  const dims = value.shape.map((dim, i) =>
    (typeof dim === 'number' && dim < 0) || dim === '' ? `${value.name}.${i}`.slice(-64) : dim,
  );
  return { name: value.name, dtype: value.type, dims };
}

async function createSession(bytes: Uint8Array, settings: SessionSettings, provider: string): Promise<InferenceSession> {
  return InferenceSession.create(bytes, {
    executionProviders: [provider],
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
}

let session: InferenceSession | undefined;

async function load(modelPath: string, settings: SessionSettings): Promise<LoadedSession> {
  const bytes = await readFile(modelPath);
  let executionProvider = settings.executionProvider;
  try {
    session = await createSession(bytes, settings, executionProvider);
  } catch (cause) {
    if (executionProvider === 'cpu') throw new StunError('STUN_MODEL_LOAD', `onnxruntime: ${String(cause).slice(0, 200)}`);
    if (!settings.fallbackToCpu) {
      throw new StunError('STUN_MODEL_EXECUTION_PROVIDER', `${executionProvider} cannot be used: ${String(cause).slice(0, 200)}`);
    }
    executionProvider = 'cpu';
    try {
      session = await createSession(bytes, settings, executionProvider);
    } catch (second) {
      throw new StunError('STUN_MODEL_LOAD', `onnxruntime: ${String(second).slice(0, 200)}`);
    }
  }
  return {
    modelSha256: `0x${createHash('sha256').update(bytes).digest('hex')}`,
    executionProvider,
    inputs: session.inputMetadata.map(specOf),
    outputs: session.outputMetadata.map(specOf),
  };
}

function toOrt(tensor: NamedTensor): Tensor {
  // A copy: the bytes come from the channel at any offset, and typed arrays need theirs aligned.
  const { buffer } = new Uint8Array(tensor.data);
  return new Tensor(tensor.dtype, new views[tensor.dtype](buffer) as never, tensor.dims);
}

function fromOrt(name: string, tensor: Tensor): NamedTensor {
  if (!isDtype(tensor.type)) throw new StunError('STUN_TENSOR_STRING', `the output ${name} holds no numbers`);
  const view = tensor.data as ArrayBufferView;
  const data = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  return { name, dtype: tensor.type, dims: [...tensor.dims], data };
}

async function run(tensors: readonly NamedTensor[]): Promise<readonly NamedTensor[]> {
  if (session === undefined) throw new StunError('STUN_INTERNAL', 'a run before the model was loaded');
  const feeds = Object.fromEntries(tensors.map((tensor) => [tensor.name, toOrt(tensor)]));
  let outputs: InferenceSession.ReturnType;
  try {
    outputs = await session.run(feeds);
  } catch {
    // The message may hold values of the input (an index out of range, say), so it ends here.
    throw new StunError('STUN_MODEL_RUN', 'onnxruntime refused the input');
  }
  return session.outputNames.map((name) => fromOrt(name, outputs[name]!));
}

async function answer(request: RunnerRequest): Promise<RunnerReply> {
  try {
    if (request.type === 'load') return { type: 'loaded', session: await load(request.modelPath, request.settings) };
    return { type: 'result', tensors: await run(request.tensors) };
  } catch (thrown) {
    const known = thrown instanceof StunError;
    return {
      type: 'failed',
      code: known ? thrown.code : request.type === 'load' ? 'STUN_MODEL_LOAD' : 'STUN_MODEL_RUN',
      reason: known ? thrown.message : 'the runner failed',
    };
  }
}

process.on('message', (request: RunnerRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
new Worker(new URL('./parent-watch.ts', import.meta.url)).unref();
