/** Provers in a process of their own, under real crashes: the process gets the signal that a fault in native code gives it. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isolatedInferenceProver, isolatedSettlementProver } from '#prover/isolated/isolated-prover.ts';
import { ProcessLost, ProverProcess } from '#prover/isolated/prover-process.ts';
import type { ProofStage } from '#prover/interface.ts';
import { randomField } from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { makeTask, type MadeTask } from '#test/unit/prover/task-fixture.ts';
import { compiledFixture, inferenceTaskOf } from '#test/unit/worker/compiled-fixture.ts';

const CIRCUIT = 'settlement-16';
const options = {
  threads: 1,
  circuits: [CIRCUIT],
  queueLimit: 8,
  taskTimeoutMs: 120_000,
  memoryLimitMb: 512,
  backend: 'auto',
} as const;

/** Provers' processes whose parent is `owner`. */
function processesOf(owner: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const parent = Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]);
      const proves = readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('prover.process.ts');
      return parent === owner && proves ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Whether a process is there and no zombie. */
function isRunning(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [^Z]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Crashes the first `count` processes, each when it is called for it. */
function crashes(count: number): () => void {
  const hit = new Set<number>();
  return () => {
    for (const pid of processesOf(process.pid)) {
      if (hit.has(pid) || hit.size >= count) continue;
      hit.add(pid);
      process.kill(pid, 'SIGSEGV');
    }
  };
}

describe('prover: a process of its own', function () {
  this.timeout(300_000);
  let made: MadeTask;
  before(async () => {
    made = await makeTask(CIRCUIT, 3);
  });
  afterEach(() => assert.deepEqual(processesOf(process.pid), [], 'a process is left over'));

  it('proves and verifies there, tells the stages, and sees no secret of its owner', async () => {
    process.env['STUN_PRIVATE_KEY'] = 'a-secret-of-the-owner';
    const prover = await isolatedSettlementProver(options);
    try {
      const [pid] = processesOf(process.pid);
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      assert.ok(environment.includes('PATH=') && !environment.includes('a-secret-of-the-owner'));
      const stages: ProofStage[] = [];
      const proof = await prover.prove(made.task, { progress: (stage) => stages.push(stage) });
      assert.equal((await prover.verify(proof)).signals.total, made.bundle.statement.total);
      assert.equal(stages.at(0), 'witness');
      const { proved, processesReplaced, backend } = prover.stats();
      assert.deepEqual({ proved, processesReplaced, made: backend.madeByFallback }, { proved: 1, processesReplaced: 0, made: 0 });
    } finally {
      delete process.env['STUN_PRIVATE_KEY'];
      await prover.close();
    }
  });

  it('starts again after a crash, and gives the proof all the same', async () => {
    const prover = await isolatedSettlementProver(options);
    try {
      const proof = await prover.prove(made.task, { progress: crashes(1) });
      await prover.verify(proof);
      const { processesReplaced, backend } = prover.stats();
      assert.deepEqual([processesReplaced, backend.madeByFallback], [1, 0]);
    } finally {
      await prover.close();
    }
  });

  it('proves without native code what brought down two processes', async () => {
    const prover = await isolatedSettlementProver(options);
    try {
      await prover.verify(await prover.prove(made.task, { progress: crashes(2) }));
      const { proved, backend } = prover.stats();
      assert.deepEqual([proved, backend.madeByFallback], [1, 1]);
    } finally {
      await prover.close();
    }
  });

  it('passes on what the prover refuses, by code', async () => {
    await rejectsCode(isolatedSettlementProver({ ...options, circuits: ['settlement-17'] }), 'STUN_CIRCUIT_UNKNOWN');
    const prover = await isolatedSettlementProver(options);
    try {
      const { task } = made;
      const stranger = { ...task, enclavePath: { ...task.enclavePath, root: `0x${'00'.repeat(31)}01` as const } };
      await rejectsCode(prover.prove(stranger), 'STUN_PROOF_ROOT');
      const abort = new AbortController();
      const aborted = prover.prove(task, { signal: abort.signal });
      abort.abort();
      await rejectsCode(aborted, 'STUN_PROVER_ABORTED');
    } finally {
      await prover.close();
    }
    await rejectsCode(prover.prove(made.task), 'STUN_PROVER_CLOSED');
  });

  it('fails a start that no process comes of, and one that ends over it', async () => {
    const creation = { kind: 'settlement', options } as const;
    for (const broken of [{ execPath: '/nowhere/node' }, { program: '/nowhere/program.ts' }])
      await assert.rejects(ProverProcess.start(creation, undefined, broken), ProcessLost);
  });

  it('blames no task for a folder that changed under it', async () => {
    const folder = await compiledFixture();
    const directory = mkdtempSync(join(tmpdir(), 'stun-isolated-'));
    cpSync(folder.directory, directory, { recursive: true });
    const limits = { threads: 1, queueLimit: 2, taskTimeoutMs: 120_000, memoryLimitMb: 512, backend: 'auto' } as const;
    const prover = await isolatedInferenceProver({ directories: [directory], ...limits });
    try {
      rmSync(directory, { recursive: true });
      const task = inferenceTaskOf(folder, [5, 6, 7, 8], { input: randomField(), output: randomField() });
      crashes(1)();
      await rejectsCode(prover.prove(task), 'STUN_PROVER_CRASHED');
      cpSync(folder.directory, directory, { recursive: true });
      assert.equal((await prover.prove(task)).a.length, 2, 'mended, it goes on');
    } finally {
      await prover.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('ends when its owner is killed', async () => {
    const owner = fork(fileURLToPath(new URL('./prover-owner.ts', import.meta.url)), { stdio: ['ignore', 2, 2, 'ipc'] });
    await once(owner, 'message');
    const [pid] = processesOf(owner.pid!);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    // Where nobody reaps orphans it stays as a zombie, which holds nothing.
    while (isRunning(pid!)) await sleep(50);
  });

  it('proves inferences, and none of another output', async () => {
    const folder = await compiledFixture();
    const limits = { threads: 1, queueLimit: 2, taskTimeoutMs: 120_000, memoryLimitMb: 512, backend: 'auto' } as const;
    const prover = await isolatedInferenceProver({ directories: [folder.directory], ...limits });
    try {
      assert.deepEqual([...prover.models], [folder.model.modelId]);
      const task = inferenceTaskOf(folder, [5, 6, 7, 8], { input: randomField(), output: randomField() });
      assert.equal((await prover.prove(task, { progress: crashes(1) })).a.length, 2);
      await rejectsCode(prover.prove({ ...task, outputCommitment: 5n }), 'STUN_PROOF_INVALID');
    } finally {
      await prover.close();
    }
  });
});
