/** The prover on the real circuit: real segments, real keys, real proofs. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { groth16 } from 'snarkjs';
import { fieldFromHex, SETTLEMENT_SIGNALS, unpackPayee } from '#protocol/index.ts';
import { loadCircuits, type ProvingArtefacts } from '#prover/artefacts.ts';
import { chooseBackends } from '#prover/backends.ts';
import type { SettlementProof, SettlementProver } from '#prover/interface.ts';
import { createProverOver } from '#prover/pool.ts';
import { proveBundle } from '#prover/prove-bundle.ts';
import type { ProvenSegment } from '#prover/segment-prover.ts';
import { ThreadPool } from '#prover/thread-pool.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { NOW, PROVIDER } from '#test/unit/protocol/fixtures.ts';
import { hasNative } from '#test/unit/prover/engines.ts';
import { makeTask, type MadeTask } from '#test/unit/prover/task-fixture.ts';
import type { DyingThreadData } from './dying.worker.ts';

const CIRCUIT = 'settlement-16';
const limits = { threads: 1, queueLimit: 8, taskTimeoutMs: 300_000, memoryLimitMb: 512, backend: 'auto' } as const;

/** Numbers of Solidity's layout back in snarkjs' form. */
function forSnarkjs(proof: SettlementProof): Parameters<typeof groth16.verify>[2] {
  const decimal = (hex: string): string => BigInt(hex).toString();
  const twisted = ([c1, c0]: [string, string]): string[] => [decimal(c0), decimal(c1)];
  return {
    pi_a: [...proof.a.map(decimal), '1'],
    pi_b: [twisted(proof.b[0]), twisted(proof.b[1]), ['1', '0']],
    pi_c: [...proof.c.map(decimal), '1'],
    protocol: 'groth16',
    curve: 'bn128',
  };
}

describe('prover: settlement proofs', function () {
  this.timeout(300_000);
  let circuits: readonly ProvingArtefacts[];
  let prover: SettlementProver;
  let made: MadeTask;
  let proof: SettlementProof;

  before(async () => {
    circuits = await loadCircuits([CIRCUIT]);
    prover = createProverOver(circuits, limits);
    made = await makeTask(CIRCUIT, 5, { firstK: 17, laneIndex: 4_000_000_000 });
    proof = await prover.prove(made.task);
  });

  after(async () => {
    await prover.close();
  });

  it('proves a segment with the signals of its bundle, in the order of the contract', () => {
    const signals = Object.fromEntries(SETTLEMENT_SIGNALS.map((name, i) => [name, fieldFromHex(proof.signals[i]!)]));
    const { bundle, task } = made;
    assert.deepEqual(signals, {
      enclaveRoot: fieldFromHex(task.enclavePath.root),
      orderId: bundle.order.orderId,
      laneOld: bundle.statement.fromHead,
      laneNew: bundle.statement.toHead,
      receiptsRoot: bundle.statement.receiptsRoot,
      payee: signals['payee'],
      total: bundle.statement.total,
      domain: bundle.order.opening.domain,
    });
    const payee = unpackPayee(signals['payee']!);
    assert.deepEqual(payee, { provider: PROVIDER, validAtUnix: NOW, laneIndex: 4_000_000_000 });
    assert.equal(proof.circuit, CIRCUIT);
    assert.equal(proof.familyId, circuits[0]!.familyId);
  });

  it('makes proofs that snarkjs verifies too', async () => {
    const signals = proof.signals.map((signal) => BigInt(signal).toString());
    assert.equal(await groth16.verify(circuits[0]!.verificationKey, signals, forSnarkjs(proof)), true);
  });

  it('returns the signals of a proof that verifies', async () => {
    const { signals } = await prover.verify(proof);
    assert.equal(signals.total, made.bundle.statement.total);
    assert.equal(signals.laneNew, made.bundle.statement.toHead);
  });

  it('refuses a changed bundle with the code of the check it breaks and proves the next one', async () => {
    const bundle = structuredClone(made.task.bundle);
    bundle.jobs[0]!.maxPrice = '1';
    await rejectsCode(prover.prove({ ...made.task, bundle }), 'STUN_SEGMENT');
    const { failed, threadsReplaced, proved, memory } = prover.stats();
    assert.deepEqual({ failed, threadsReplaced, proved }, { failed: 1, threadsReplaced: 0, proved: 1 });
    assert.equal(memory.sharedKeyBytes, circuits[0]!.zkey.byteLength);
    assert.ok(memory.largestThreadHeapBytes > 0);
  });

  it('proves on although the thread is killed in the middle of the proof', async () => {
    const attempts = new SharedArrayBuffer(4);
    const backends = chooseBackends(limits.backend).backends.map(({ name }) => name);
    const workerData: DyingThreadData = { circuits, attempts, backends };
    const workerFile = fileURLToPath(new URL('./dying.worker.ts', import.meta.url));
    const budget = { bytes: 2 ** 30, needed: () => 2 ** 29 };
    const pool = new ThreadPool<MadeTask['task'], ProvenSegment>({ ...limits, heapLimitMb: 96, budget, workerFile, workerData });
    try {
      const { proof: survived } = await pool.run(made.task);
      assert.deepEqual(survived.signals, proof.signals);
      assert.equal(new Int32Array(attempts)[0], 2);
      await prover.verify(survived);
    } finally {
      await pool.close();
    }
  });

  for (const backend of ['native', 'wasm'] as const) {
    it(`tells the stages of a ${backend} proof, stops it in the middle when its caller takes it back, and proves the next`, async function () {
      if (backend === 'native' && !hasNative) return this.skip();
      const own = createProverOver(circuits, { ...limits, backend });
      try {
        assert.equal(own.stats().backend.name, backend);
        const taken = new AbortController();
        const stages: string[] = [];
        const progress = (stage: string): void => {
          stages.push(stage);
          if (stage !== 'witness') taken.abort();
        };
        await rejectsCode(own.prove(made.task, { signal: taken.signal, progress }), 'STUN_PROVER_ABORTED');
        assert.ok(stages.length > 0 && stages.at(-1) !== 'witness', stages.join(', '));
        await own.verify(await own.prove(made.task));
        assert.equal(own.stats().backend.madeByFallback, 0);
      } finally {
        await own.close();
      }
    });
  }

  it('makes a proof again that its backend got wrong, and counts it', async () => {
    const wrong = createProverOver(circuits, limits, fileURLToPath(new URL('./wrong-backend.worker.ts', import.meta.url)));
    try {
      await wrong.verify(await wrong.prove(made.task));
      const { backend, retried, threadsReplaced } = wrong.stats();
      assert.deepEqual({ made: backend.madeByFallback, retried, threadsReplaced }, { made: 1, retried: 0, threadsReplaced: 0 });
      assert.equal(prover.stats().backend.madeByFallback, 0);
    } finally {
      await wrong.close();
    }
  });

  it('proves a segment with the commitments of the jobs that are paid', async () => {
    const paid = await makeTask('settlement-proven-16', 3);
    const pairs = paid.bundle.jobs.map(({ demand, receipt }) =>
      receipt.price === 0n
        ? { inputCommitment: 0n, outputCommitment: 0n }
        : { inputCommitment: demand.inputCommitment, outputCommitment: receipt.outputCommitment },
    );
    assert.ok(pairs.some(({ inputCommitment }) => inputCommitment !== 0n));
    const publishing = createProverOver(await loadCircuits(['settlement-proven-16']), limits);
    try {
      const shown = await publishing.verify(await publishing.prove(paid.task));
      assert.equal(shown.signals.total, paid.bundle.statement.total);
      assert.equal(shown.pairs.length, 16);
      assert.deepEqual(shown.pairs.slice(0, 3), pairs);
      assert.ok(shown.pairs.slice(3).every(({ inputCommitment, outputCommitment }) => inputCommitment + outputCommitment === 0n));
    } finally {
      await publishing.close();
    }
    assert.deepEqual((await prover.verify(proof)).pairs, []);
    await rejectsCode(prover.verify({ ...proof, signals: [...proof.signals, ...proof.signals] }), 'STUN_INPUT');
  });

  it('proves a full first segment from a bundle alone, without a service', async () => {
    const full = await makeTask(CIRCUIT, 16);
    const alone = await proveBundle(full.task, {
      circuits: [CIRCUIT],
      taskTimeoutMs: 300_000,
      memoryLimitMb: 512,
      backend: 'auto',
    });
    assert.equal((await prover.verify(alone)).signals.laneOld, 0n);
  });
});
