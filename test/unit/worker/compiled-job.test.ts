/** Jobs over a compiled model: what they commit to, what proves them, and what a segment does while proofs are owed. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  commitIntegers,
  inferenceProofsOf,
  outputCommitmentOf,
  payloadCommitment,
  receiptRecordFromWire,
  settlementBundleFromWire,
  StunError,
  tensorIntegers,
  type ProofPoints,
  type Terms,
} from '#protocol/index.ts';
import type { InferenceProver, InferenceTask } from '#prover/interface.ts';
import { verifyGroth16 } from '#prover/verify-groth16.ts';
import type { CompiledFolder } from '#circuits/model/folder.ts';
import { assertExactKernels, assertExactStages, readCompiledModel } from '#worker/model/compiled.ts';
import { ModelRunner } from '#worker/model/runner.ts';
import { WorkerStore } from '#worker/store.ts';
import { rejectsCode } from '../assert-code.ts';
import { compiledFixture, inferenceProver, integerInput } from './compiled-fixture.ts';
import { makeWorld, PRICE, type World } from './fixtures.ts';
import { CPU, LIMITS } from './onnx-models.ts';

const POINT = `0x${'01'.repeat(32)}` as const;
const SOME_PROOF: ProofPoints = {
  a: [POINT, POINT],
  b: [
    [POINT, POINT],
    [POINT, POINT],
  ],
  c: [POINT, POINT],
};

/** A prover that answers when the test says so. */
class HeldProver implements InferenceProver {
  readonly models: ReadonlySet<bigint>;
  readonly held: { task: InferenceTask; resolve: (proof: ProofPoints) => void; reject: (error: Error) => void }[] = [];

  constructor(modelId: bigint) {
    this.models = new Set([modelId]);
  }

  prove(task: InferenceTask): Promise<ProofPoints> {
    return new Promise((resolve, reject) => this.held.push({ task, resolve, reject }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

describe('worker job over a compiled model', function () {
  this.timeout(300_000);
  let folder: CompiledFolder & { readonly directory: string };
  let runner: ModelRunner;
  let terms: Partial<Terms>;
  let world: World | undefined;
  before(async () => {
    folder = await compiledFixture();
    runner = await ModelRunner.start(await readCompiledModel(folder.directory), CPU, LIMITS);
    terms = { assurance: 2, publicModelId: folder.model.modelId };
  });
  afterEach(() => {
    world?.close();
    world = undefined;
  });
  after(() => runner.close());

  const tensors = (...values: number[]) => [integerInput(folder, values)];

  it('commits to the tensors, proves the inference, and hands the proof over with the segment', async () => {
    const prover = await inferenceProver(folder.directory);
    try {
      world = await makeWorld(runner, { terms, prover });
      const sent = await world.customer.next({ tensors: tensors(9, 200, 0, 77) });
      assert.equal(sent.header.inputCommitment, commitIntegers(folder.model.input, [9, 200, 0, 77], sent.inputBlinding));
      const outcome = await world.serve(sent);
      assert.equal(outcome.kind, 'receipted');
      const { receipt } = receiptRecordFromWire(outcome.record);
      const { payload } = await world.customer.openResult(sent, outcome.sealedResult);
      assert.deepEqual(tensorIntegers(folder.model.output, payload), folder.run([9, 200, 0, 77]));
      assert.equal(receipt.outputCommitment, outputCommitmentOf(folder.model.output, payload, sent.outputBlinding));
      await world.enclave.proofs!.idle();
      const [segment] = world.enclave.store.segments();
      const [proof] = inferenceProofsOf(settlementBundleFromWire(world.enclave.store.bundleOf(segment!.id)));
      const signals = [sent.header.inputCommitment, receipt.outputCommitment];
      assert.deepEqual(verifyGroth16(folder.verificationKey, proof!, signals), signals);
      for (const wrong of [signals.toReversed(), [signals[0]!, signals[1]! + 1n], [signals[0]! + 1n, signals[1]!]]) {
        assert.throws(() => verifyGroth16(folder.verificationKey, proof!, wrong), { code: 'STUN_PROOF_INVALID' });
      }
      const other = await compiledFixture(-0.3);
      assert.throws(() => verifyGroth16(other.verificationKey, proof!, signals), { code: 'STUN_PROOF_INVALID' });
    } finally {
      await prover.close();
    }
  });

  it('takes no more segments of a challengeable order than its stake has slashes for, until one has settled', async () => {
    const slash = { ...terms, assurance: 1, slash: 50n };
    world = await makeWorld(runner, { terms: slash, prover: new HeldProver(folder.model.modelId) });
    const { customer, chain, serve } = world;
    const next = async (laneIndex: number) => serve(await customer.next({ tensors: tensors(1, 2, 3, 4), laneIndex }));
    chain.order = { stakeAvailable: 100n };
    // Two jobs of one segment bind one slash.
    for (const laneIndex of [0, 0, 1]) assert.equal((await next(laneIndex)).kind, 'receipted');
    const third = await customer.next({ tensors: tensors(1, 2, 3, 4), laneIndex: 2 });
    const refused = await serve(third);
    assert.equal(refused.kind === 'declined' && refused.code, 'STUN_STAKE_TOO_LOW');
    // Settled, a segment holds its slash on chain until it is final.
    chain.laneHeads.set('0', [...world.enclave.lanes.values()][0]!.view.head);
    chain.order = { stakeAvailable: 50n };
    assert.equal((await serve(third)).kind, 'declined');
    chain.order = { stakeAvailable: 100n };
    assert.equal((await serve(third)).kind, 'receipted');
  });

  it('serves the level attested without a proof', async () => {
    world = await makeWorld(runner, {});
    const outcome = await world.serve(await world.customer.next({ tensors: tensors(1, 2, 3, 4) }));
    assert.equal(outcome.kind, 'receipted');
    assert.equal(outcome.status, 'served');
  });

  it('fails a job whose input is out of range with the code of the compiler, committed to as bytes', async () => {
    const narrow = folder.model.inputMaxima.map((maximum, i) => (i === 2 ? maximum - 1 : maximum));
    const file = { ...runner.file, compiled: { ...runner.file.compiled!, model: { ...folder.model, inputMaxima: narrow } } };
    world = await makeWorld({ run: () => assert.fail('the model ran'), file }, {});
    const outcome = await world.serve(await world.customer.next({ tensors: tensors(0, 0, folder.model.inputMaxima[2]!, 0) }));
    assert.equal(outcome.kind === 'receipted' && outcome.code, 'STUN_MODEL_INPUT_RANGE');
    assert.throws(() => folder.run([0, 0, folder.model.inputMaxima[2]! + 1, 0]), { code: 'STUN_MODEL_INPUT_RANGE' });
  });

  it('fails a job that is committed to as bytes', async () => {
    world = await makeWorld(runner, {});
    const sent = await world.customer.next({
      tensors: tensors(1, 2, 3, 4),
      inputCommitment: payloadCommitment(new Uint8Array(), 1n),
    });
    const outcome = await world.serve(sent);
    assert.equal(outcome.kind === 'receipted' && outcome.code, 'STUN_INPUT_COMMITMENT');
  });

  it('signs no receipt over an output that the integer program does not give', async () => {
    const compiled = { ...runner.file.compiled!, run: (input: readonly number[]) => folder.run(input).map((value) => value + 1) };
    world = await makeWorld({ run: (given) => runner.run(given), file: { ...runner.file, compiled } }, {});
    const sent = await world.customer.next({ tensors: tensors(1, 2, 3, 4) });
    const outcome = await world.serve(sent);
    assert.equal(outcome.kind === 'receipted' && outcome.code, 'STUN_MODEL_DISAGREES');
    assert.equal(outcome.kind === 'receipted' && receiptRecordFromWire(outcome.record).receipt.price, 0n);
    await rejectsCode(assertExactKernels(runner, compiled), 'STUN_MODEL_KERNELS');
    await assertExactKernels(runner, runner.file.compiled!);
  });

  it('refuses kernels that saturate sums at 16 bits, which small inputs would not show', async () => {
    const clamp = (value: number): number => Math.min(Math.max(value, -32_768), 32_767);
    const saturated = async (given: Parameters<ModelRunner['run']>[0]): ReturnType<ModelRunner['run']> => {
      const input = [...given[0]!.data];
      const [first] = folder.program.operations;
      assert.ok(first?.kind === 'affine');
      const exact = first.weights.map((row) => row.reduce((sum, weight, i) => sum + weight * input[i]!, 0));
      const right = await runner.run(given);
      if (exact.every((sum) => clamp(sum) === sum)) return right;
      return right.map((tensor) => ({ ...tensor, data: tensor.data.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }));
    };
    await rejectsCode(assertExactKernels({ run: saturated }, runner.file.compiled!), 'STUN_MODEL_KERNELS');
  });

  it('tries the stages before it serves: exact here, and refused where only a later layer is not', async () => {
    const compiled = runner.file.compiled!;
    await assertExactStages(compiled, CPU, LIMITS);
    const stages = compiled.stages()!;
    assert.equal(stages.model.input.dims[1], 4 + 3, 'features and activations are inputs of their own');
    // Beside the first layer's accumulators and activations: an error in the last score, when all activations are at their greatest.
    const run: typeof stages.run = (input) => {
      const right = stages.run(input);
      return input.slice(-3).every((value) => value > 0) ? right.with(-1, right.at(-1)! + 1) : right;
    };
    const wrong = { ...compiled, stages: () => ({ ...stages, run }) };
    await rejectsCode(assertExactStages(wrong, CPU, LIMITS), 'STUN_MODEL_KERNELS');
    await rejectsCode(
      assertExactStages({ ...compiled, stages: () => ({ ...stages, onnx: stages.onnx.subarray(1) }) }, CPU, LIMITS),
      'STUN_MODEL_LOAD',
    );
    await assertExactStages({ ...compiled, stages: () => null }, CPU, LIMITS);
  });

  it('goes on serving a lane while proofs are owed, and hands the segment over when the last one is stored', async () => {
    const prover = new HeldProver(folder.model.modelId);
    world = await makeWorld(runner, { terms: { ...terms, segmentLength: 2 }, prover });
    const { store } = world.enclave;
    for (const value of [1, 2, 3]) {
      const outcome = await world.serve(await world.customer.next({ tensors: tensors(value, 2, 3, 4) }));
      assert.equal(outcome.kind, 'receipted');
    }
    assert.equal(prover.held.length, 3);
    assert.match(await world.metrics.registry.metrics(), /^stun_worker_inference_proofs_owed 3$/m);
    assert.equal(store.unpushedSegments().length, 0);
    prover.held[1]!.resolve(SOME_PROOF);
    prover.held[2]!.resolve(SOME_PROOF);
    await Promise.resolve();
    assert.equal(store.unpushedSegments().length, 0);
    prover.held[0]!.resolve(SOME_PROOF);
    await world.enclave.proofs!.idle();
    assert.deepEqual(
      store.unpushedSegments().map(({ firstK }) => firstK),
      [1],
    );
    const said = await world.metrics.registry.metrics();
    assert.match(said, /^stun_worker_inference_proofs_owed 0$/m);
    assert.match(said, /^stun_worker_inference_proof_seconds_count 3$/m);
  });

  it('settles up to the last proven job after the enclave died with proofs owed', async () => {
    const prover = new HeldProver(folder.model.modelId);
    const storePath = join(mkdtempSync(join(tmpdir(), 'stun-worker-')), 'worker.sqlite');
    world = await makeWorld(runner, { terms: { ...terms, segmentLength: 2 }, prover, storePath });
    const heads: string[] = [];
    for (const value of [1, 2, 3, 4, 5]) {
      const outcome = await world.serve(await world.customer.next({ tensors: tensors(value, 2, 3, 4) }));
      heads.push(outcome.kind === 'receipted' ? outcome.jobId : '');
    }
    // The first segment and the first job of the second are proven; the fifth too, but behind one that is not.
    for (const i of [0, 1, 2, 4]) prover.held[i]!.resolve(SOME_PROOF);
    await new Promise((resolve) => setImmediate(resolve));
    world.close();
    const store = new WorkerStore(storePath);
    try {
      store.closeAbandoned('another keyset');
      const segments = store.unpushedSegments();
      assert.deepEqual(
        segments.map(({ firstK, toHead }) => [firstK, toHead]),
        [
          [1, heads[1]],
          [3, heads[2]],
        ],
      );
      const cut = settlementBundleFromWire(store.bundleOf(segments[1]!.id));
      assert.equal(cut.jobs.length, 1);
      assert.equal(inferenceProofsOf(cut).length, 1);
      assert.equal(store.reservedOf(segments[0]!.orderKey), 3n * 1000n, 'nothing is reserved for what cannot settle');
    } finally {
      store.close();
      world = undefined;
    }
  });

  it('ends the lane at a job that cannot be proved', async () => {
    const prover = new HeldProver(folder.model.modelId);
    world = await makeWorld(runner, { terms, prover });
    for (const value of [1, 2]) await world.serve(await world.customer.next({ tensors: tensors(value, 2, 3, 4) }));
    prover.held[0]!.resolve(SOME_PROOF);
    prover.held[1]!.reject(new StunError('STUN_PROOF_INVALID', 'test'));
    await world.enclave.proofs!.idle();
    const said = await world.metrics.registry.metrics();
    assert.match(said, /^stun_worker_inference_proof_failures_total\{code="STUN_PROOF_INVALID"\} 1$/m);
    assert.match(said, /^stun_worker_inference_proof_seconds_count 1$/m);
    const next = await world.serve(await world.customer.next({ tensors: tensors(3, 2, 3, 4) }));
    assert.equal(next.kind === 'declined' && next.code, 'STUN_LANE_CLOSED');
    const [segment] = world.enclave.store.unpushedSegments();
    const bundle = settlementBundleFromWire(world.enclave.store.bundleOf(segment!.id));
    assert.equal(bundle.statement.total, PRICE);
  });

  it('declines levels above attested without a prover of the model', async () => {
    world = await makeWorld(runner, { terms });
    const outcome = await world.serve(await world.customer.next({ tensors: tensors(1, 2, 3, 4) }));
    assert.equal(outcome.kind === 'declined' && outcome.code, 'STUN_ORDER_TERMS');
  });

  it('makes no proof of a lie, so that a segment of one has none', async () => {
    const prover = await inferenceProver(folder.directory);
    try {
      const lie = (payload: Uint8Array): Uint8Array => payload.map((byte, i) => (i === payload.length - 1 ? byte ^ 1 : byte));
      world = await makeWorld(runner, { terms: { ...terms, assurance: 1 }, prover, alterOutput: lie });
      const sent = await world.customer.next({ tensors: tensors(1, 2, 3, 4) });
      const outcome = await world.serve(sent);
      assert.equal(outcome.kind === 'receipted' && outcome.status, 'served');
      const [segment] = world.enclave.store.segments();
      const bundle = settlementBundleFromWire(world.enclave.store.bundleOf(segment!.id));
      assert.throws(() => inferenceProofsOf(bundle), { code: 'STUN_SEGMENT_PROOF' });
      const { receipt } = bundle.jobs[0]!;
      const { header, inputBlinding, outputBlinding } = sent;
      const { modelId } = folder.model;
      const task = { modelId, input: [1, 2, 3, 4], inputBlinding, outputBlinding, inputCommitment: header.inputCommitment };
      await rejectsCode(prover.prove({ ...task, outputCommitment: receipt.outputCommitment }), 'STUN_PROOF_INVALID');
      await rejectsCode(prover.prove({ ...task, modelId: 1n, outputCommitment: 1n }), 'STUN_PROOF_FAMILY');
    } finally {
      await prover.close();
    }
  });
});
