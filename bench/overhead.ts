/**
 * What confidentiality and payability cost a job over the plain run of the same model on the same 1 KB input, which is measured in the
 * same process, in turns with it. Of the enclave: opening the sealed request, checking the demand (payable), recomputing the input's
 * commitment, committing to the output, sealing it, receipt, running statement and the flushed store. Of the customer: commitment to
 * the input, the demand's signature, sealing the request. No network: what lies between the two is not in it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelRunner } from '#worker/model/runner.ts';
import { makeWorld, vector } from '../test/unit/worker/fixtures.ts';
import { CPU, LIMITS, modelFileOf } from '../test/unit/worker/onnx-models.ts';
import { floats, writeOnnx, type Graph } from '#circuits/model/onnx/write-onnx.ts';
import { summarise, type Figure } from './figure.ts';

const INPUTS = 256;
const HIDDEN = 64;
const WARM_UP = 20;
const RUNS = 200;

/** A two-layer network over 256 float32: an input of 1 KB. */
function network(): Graph {
  const weights = (count: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(i) / 16);
  return {
    name: 'overhead',
    nodes: [
      { op: 'Gemm', inputs: ['x', 'w1', 'b1'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['r'] },
      { op: 'Gemm', inputs: ['r', 'w2', 'b2'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', type: 'float32', dims: ['rows', INPUTS] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['rows', 1] }],
    initializers: [
      floats('w1', [INPUTS, HIDDEN], weights(INPUTS * HIDDEN)),
      floats('b1', [HIDDEN], weights(HIDDEN)),
      floats('w2', [HIDDEN, 1], weights(HIDDEN)),
      floats('b2', [1], [0]),
    ],
  };
}

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
}

/** A figure for one percentile; min and max are those of all samples. */
function figure(name: string, samples: readonly number[], share: number, baseline: number | null): Figure {
  const value = percentile(samples, share);
  const { min, max, runs } = summarise(name, 'ms', samples);
  return { name, unit: 'ms', median: value, min, max, runs, baseline, ratio: baseline === null ? null : baseline / value };
}

/** Measures. */
export async function run(): Promise<Figure[]> {
  const graph = network();
  const runner = await ModelRunner.start(await modelFileOf(graph), CPU, LIMITS);
  const session = await InferenceSession.create(writeOnnx(graph), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const folder = await mkdtemp(join(tmpdir(), 'stun-bench-'));
  const world = await makeWorld(runner, { storePath: join(folder, 'worker.sqlite') });
  const values = Float32Array.from({ length: INPUTS }, (_, i) => Math.cos(i));
  const input = { ...vector([...values]), dims: [1, INPUTS] };
  const raw: number[] = [];
  const isolated: number[] = [];
  const whole: number[] = [];
  const customer: number[] = [];
  try {
    for (let i = 0; i < WARM_UP + RUNS; i++) {
      const beforeCustomer = performance.now();
      const sent = await world.customer.next({ tensors: [input] });
      const afterCustomer = performance.now();
      const opening = await world.customer.opening();
      const start = performance.now();
      await session.run({ x: new Tensor('float32', values, [1, INPUTS]) });
      const afterRaw = performance.now();
      await runner.run([input]);
      const afterIsolated = performance.now();
      const outcome = await world.serve(sent, { opening: () => Promise.resolve(opening) });
      const end = performance.now();
      if (outcome.kind !== 'receipted' || outcome.status !== 'served')
        throw new RangeError('a job of the benchmark was not served');
      if (i < WARM_UP) continue;
      raw.push(afterRaw - start);
      isolated.push(afterIsolated - afterRaw);
      whole.push(end - afterIsolated);
      customer.push(afterCustomer - beforeCustomer);
    }
  } finally {
    runner.close();
    await session.release();
    world.close();
    await rm(folder, { recursive: true });
  }
  const rawMedian = percentile(raw, 0.5);
  const overhead = whole.map((time) => time - rawMedian);
  const both = overhead.map((time, i) => time + (customer[i] ?? 0));
  return [
    figure('raw onnxruntime run, 1 KB input, p50', raw, 0.5, null),
    figure('raw onnxruntime run, 1 KB input, p95', raw, 0.95, null),
    figure('run in the isolated process, p50', isolated, 0.5, rawMedian),
    figure('whole job in the enclave, p50', whole, 0.5, rawMedian),
    figure('whole job in the enclave, p95', whole, 0.95, percentile(raw, 0.95)),
    figure("enclave's overhead: opening, payable, sealing, receipt, store, p50", overhead, 0.5, rawMedian),
    figure("enclave's overhead: opening, payable, sealing, receipt, store, p95", overhead, 0.95, rawMedian),
    figure("customer's part: commitment, demand, sealing, p50", customer, 0.5, rawMedian),
    figure("customer's part: commitment, demand, sealing, p95", customer, 0.95, rawMedian),
    figure('sealing + demand + receipt over the raw run, both sides, p50', both, 0.5, rawMedian),
    figure('sealing + demand + receipt over the raw run, both sides, p95', both, 0.95, rawMedian),
  ];
}
