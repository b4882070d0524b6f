import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { DTYPES, type Dtype, type NamedTensor } from '#protocol/index.ts';
import { ModelRunner } from '#worker/model/runner.ts';
import { rejectsCode } from '../assert-code.ts';
import { vector } from './fixtures.ts';
import {
  CPU,
  doubling,
  gathering,
  identity,
  LIMITS,
  looping,
  manifestOf,
  modelFileOf,
  runnerOf,
  swelling,
  twoByTwo,
} from './onnx-models.ts';

function int64(name: string, values: readonly bigint[], dims: readonly number[] = [values.length]): NamedTensor {
  return { name, dtype: 'int64', dims, data: new Uint8Array(BigInt64Array.from(values).buffer) };
}

describe('worker model runner', () => {
  it('runs a float model and keeps names, types, shapes and bytes', async () => {
    const runner = await runnerOf(doubling());
    const outputs = await runner.run([vector([1.5, -2, 0])]);
    assert.deepEqual(outputs, [vector([3, -4, 0], 'y')]);
    assert.equal(runner.executionProvider, 'cpu');
    runner.close();
  });

  it('runs models of every element type but strings', async function () {
    this.timeout(120_000);
    for (const dtype of Object.keys(DTYPES) as Dtype[]) {
      const runner = await runnerOf(identity(dtype));
      const data = new Uint8Array(2 * DTYPES[dtype].bytes);
      data[0] = 1;
      const tensor: NamedTensor = { name: 'x', dtype, dims: [2], data };
      assert.deepEqual(await runner.run([tensor]), [{ ...tensor, name: 'y' }], dtype);
      runner.close();
    }
  });

  it('runs several inputs and outputs, integers, dynamic shapes and empty tensors', async () => {
    const runner = await runnerOf(twoByTwo());
    const matrix: NamedTensor = { name: 'matrix', dtype: 'uint8', dims: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    const outputs = await runner.run([matrix, int64('right', [5n, 6n]), int64('left', [1n, -2n])]);
    assert.deepEqual(outputs, [
      int64('sum', [6n, 4n]),
      { name: 'turned', dtype: 'uint8', dims: [3, 2], data: Uint8Array.of(1, 4, 2, 5, 3, 6) },
    ]);
    const empty: NamedTensor = { name: 'matrix', dtype: 'uint8', dims: [0, 3], data: new Uint8Array() };
    const [sum, turned] = await runner.run([int64('left', []), int64('right', []), empty]);
    assert.deepEqual([sum?.dims, turned?.dims], [[0], [3, 0]]);
    runner.close();
  });

  it('refuses a model with string tensors when it loads', async () => {
    await rejectsCode(runnerOf(doubling('string'), {}, manifestOf(doubling())), 'STUN_TENSOR_STRING');
  });

  it('refuses a file that is no model', async () => {
    const file = await modelFileOf({ ...doubling(), nodes: [{ op: 'NoSuchOperator', inputs: ['x'], outputs: ['y'] }] });
    await rejectsCode(ModelRunner.start(file, CPU, LIMITS), 'STUN_MODEL_LOAD');
  });

  it('refuses a model with weights outside the file whose digest names it', async () => {
    const weights = { name: 'w', type: 'float32', dims: [1], data: new Uint8Array(4) } as const;
    const graph = { ...doubling(), nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }] };
    const inside = await modelFileOf({ ...graph, initializers: [weights] });
    (await ModelRunner.start(inside, CPU, LIMITS)).close();
    // A file that is there, where the runner's process runs: found or not, it must not be looked for.
    const outside = await modelFileOf({ ...graph, initializers: [{ ...weights, externalFile: 'package.json' }] });
    await rejectsCode(ModelRunner.start(outside, CPU, LIMITS), 'STUN_MODEL_LOAD');
  });

  it('refuses a model file that is not the one whose digest was taken', async () => {
    const file = await modelFileOf(doubling());
    await rejectsCode(ModelRunner.start({ ...file, modelSha256: `0x${'00'.repeat(32)}` }, CPU, LIMITS), 'STUN_MODEL_LOAD');
  });

  it('refuses CUDA where there is none, unless the CPU may stand in, and records which ran', async () => {
    const file = await modelFileOf(doubling());
    await rejectsCode(ModelRunner.start(file, { ...CPU, executionProvider: 'cuda' }, LIMITS), 'STUN_MODEL_EXECUTION_PROVIDER');
    const runner = await ModelRunner.start(file, { executionProvider: 'cuda', fallbackToCpu: true, threads: 1 }, LIMITS);
    assert.equal(runner.executionProvider, 'cpu');
    runner.close();
  });

  it('ends a job that hangs and serves the next one', async () => {
    const runner = await runnerOf(looping(), { timeoutMs: 700 });
    await rejectsCode(runner.run([int64('turns', [2n ** 62n], []), vector([0])]), 'STUN_MODEL_TIMEOUT');
    assert.deepEqual(await runner.run([int64('turns', [3n], []), vector([1])]), [vector([8], 'y')]);
    runner.close();
  });

  it('ends a job that takes too much memory and serves the next one', async function () {
    if (process.platform !== 'linux') this.skip();
    const runner = await runnerOf(swelling(), { memoryBytes: 700 * 2 ** 20 });
    await rejectsCode(runner.run([int64('shape', [400_000_000n])]), 'STUN_MODEL_MEMORY');
    const [sum] = await runner.run([int64('shape', [5n])]);
    assert.equal(new Float32Array(sum!.data.slice().buffer)[0], 5);
    runner.close();
  });

  it('fails a job alone when its process dies', async () => {
    const runner = await runnerOf(looping());
    const hung = rejectsCode(runner.run([int64('turns', [2n ** 62n], []), vector([0])]), 'STUN_MODEL_CRASHED');
    await sleep(300);
    runner.close();
    await hung;
  });

  it('lets jobs wait for each other', async () => {
    const runner = await runnerOf(doubling());
    const results = await Promise.all([1, 2, 3, 4, 5].map((value) => runner.run([vector([value])])));
    assert.deepEqual(
      results.map(([y]) => y),
      [1, 2, 3, 4, 5].map((value) => vector([2 * value], 'y')),
    );
    runner.close();
  });

  it('hides the message of a run that onnxruntime refuses', async () => {
    const runner = await runnerOf(gathering());
    const run = runner.run([vector([1, 2]), int64('index', [987_654n])]);
    await rejectsCode(run, 'STUN_MODEL_RUN');
    await run.catch((error: unknown) => assert.doesNotMatch(String(error), /987654/));
    runner.close();
  });

  it('refuses an output beyond the limit', async () => {
    const runner = await runnerOf(doubling(), { outputBytes: 8 });
    assert.equal((await runner.run([vector([1, 2])])).length, 1);
    await rejectsCode(runner.run([vector([1, 2, 3])]), 'STUN_MODEL_OUTPUT_SIZE');
    runner.close();
  });
});
