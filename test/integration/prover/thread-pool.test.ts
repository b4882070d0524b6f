/** The failure handling of the pool, against threads that really die. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { StunError } from '#protocol/errors/stun-error.ts';
import { ThreadPool, type ThreadPoolOptions } from '#prover/thread-pool.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import type { FaultyData, FaultyTask } from './faulty.worker.ts';

const workerFile = fileURLToPath(new URL('./faulty.worker.ts', import.meta.url));

const UNLIMITED = { bytes: Infinity, needed: () => 0 };

function task(act: FaultyTask['act'], times = Infinity, value = 21): FaultyTask {
  return { act, times, value };
}

describe('prover: threads that fail', () => {
  let shared: SharedArrayBuffer;
  let pool: ThreadPool<FaultyTask, number>;

  function open(change: Partial<ThreadPoolOptions<FaultyTask>> = {}): ThreadPool<FaultyTask, number> {
    shared = new SharedArrayBuffer(8);
    const workerData: FaultyData = { shared };
    const limits = { threads: 1, queueLimit: 4, taskTimeoutMs: 20_000, heapLimitMb: 64, budget: UNLIMITED };
    pool = new ThreadPool({ workerFile, workerData, ...limits, ...change });
    return pool;
  }

  /** Lets every task go on that waits for it. */
  function release(): void {
    const state = new Int32Array(shared);
    Atomics.store(state, 1, 1);
    Atomics.notify(state, 1);
  }

  /** Waits until `count` attempts have begun, so that a task is running and not merely sent. */
  async function attemptsBegun(count: number): Promise<void> {
    while (Atomics.load(new Int32Array(shared), 0) < count) await new Promise((next) => setTimeout(next, 5));
  }

  afterEach(async () => {
    release();
    await pool.close();
  });

  for (const act of ['exit', 'stray-error', 'broken'] as const) {
    it(`replaces a thread that ends by "${act}" and tries its task once more`, async () => {
      assert.equal(await open().run(task(act, 1)), 42);
      const { done, retried, threadsReplaced, failed } = pool.stats();
      assert.deepEqual({ done, retried, threadsReplaced, failed }, { done: 1, retried: 1, threadsReplaced: 1, failed: 0 });
    });
  }

  for (const act of ['exit', 'throw', 'stray-error', 'broken'] as const) {
    it(`gives up a task that fails twice by "${act}", and no other task`, async () => {
      open();
      const poisoned = rejectsCode(pool.run(task(act, 2)), 'STUN_PROVER_CRASHED');
      const others = [1, 2, 3].map((value) => pool.run(task('double', 0, value)));
      await poisoned;
      assert.deepEqual(await Promise.all(others), [2, 4, 6]);
      assert.equal(pool.stats().failed, 1);
    });
  }

  it('gives a task that is alone all cores, and one core each to as many tasks as there are', async () => {
    open({ threads: 2 });
    assert.equal(pool.stats().coresPerTask, 2);
    assert.equal(await pool.run(task('tell-threads')), 2);
    const [one, two, three] = [1, 2, 3].map(() => pool.run(task('tell-threads')));
    // The third begins when one of the others has ended: by then it may be alone.
    assert.deepEqual(await Promise.all([one, two]), [1, 1]);
    assert.ok([1, 2].includes((await three)!));
    const waiting = pool.run(task('wait-for-release'));
    await attemptsBegun(5);
    assert.equal(pool.stats().coresPerTask, 1);
    assert.equal(await pool.run(task('tell-threads')), 1);
    release();
    await waiting;
    assert.equal(await pool.run(task('tell-threads')), 2);
    assert.ok(pool.stats().begunOnSeveralCores >= 3);
  });

  it('gives a task only the cores that the memory for all of them allows', async () => {
    open({ threads: 3, budget: { bytes: 10, needed: ({ value }, cores) => value + cores - 1 } });
    const cores = [];
    for (const value of [8, 9, 10]) cores.push(await pool.run(task('tell-threads', Infinity, value)));
    assert.deepEqual(cores, [3, 2, 1]);
    await rejectsCode(pool.run(task('double', 0, 11)), 'STUN_PROVER_MEMORY');
    assert.equal(await pool.run(task('double', 0, 10)), 20);
  });

  it('lets a task wait until there is memory for it, and smaller ones behind it', async () => {
    open({ threads: 3, budget: { bytes: 10, needed: ({ value }) => value } });
    const large = pool.run(task('wait-for-release', Infinity, 6));
    await attemptsBegun(1);
    const stop = new AbortController();
    const [taken, small] = [
      pool.run(task('double', 0, 5), { signal: stop.signal }),
      pool.run(task('wait-for-release', Infinity, 4)),
    ];
    const { queued, running } = pool.stats();
    assert.deepEqual({ queued, running }, { queued: 2, running: 1 });
    stop.abort();
    await rejectsCode(taken, 'STUN_PROVER_ABORTED');
    await attemptsBegun(2);
    const last = pool.run(task('double', 0, 10));
    assert.equal(pool.stats().queued, 1);
    release();
    assert.deepEqual(await Promise.all([large, small, last]), [12, 8, 20]);
  });

  it('gives a task that its backend got wrong to the next one, when there is memory for that', async () => {
    open({ threads: 3, budget: { bytes: 12, needed: ({ value }, _cores, backend) => value * (backend + 1) } });
    const other = pool.run(task('wait-for-release', Infinity, 5));
    await attemptsBegun(1);
    // 3, 6 and 9 units: the last waits for the other's memory.
    const wrong = pool.run(task('next', Infinity, 3));
    const behind = pool.run(task('double', 0, 9));
    await attemptsBegun(3);
    while (pool.stats().waitingForMemory < 2) await new Promise((next) => setTimeout(next, 5));
    const { queued, running, takenBytes, retried } = pool.stats();
    assert.deepEqual({ queued, running, takenBytes, retried }, { queued: 2, running: 1, takenBytes: 5, retried: 0 });
    release();
    assert.deepEqual(await Promise.all([other, wrong, behind]), [10, 9, 18]);
    assert.equal(pool.stats().takenBytes, 0);
  });

  it('gives a task up whose next backend has no room in the whole budget, or finds the pool closing', async () => {
    open({ budget: { bytes: 12, needed: ({ value }, _cores, backend) => value * (backend + 1) } });
    await rejectsCode(pool.run(task('next', Infinity, 5)), 'STUN_PROVER_CRASHED');
    const { failed, takenBytes, threadsReplaced } = pool.stats();
    assert.deepEqual({ failed, takenBytes, threadsReplaced }, { failed: 1, takenBytes: 0, threadsReplaced: 0 });
    const late = rejectsCode(pool.run(task('next', Infinity, 1)), 'STUN_PROVER_CRASHED');
    await pool.close();
    await late;
  });

  it('stops a thread that hangs and tries its task once more', async () => {
    assert.equal(await open({ taskTimeoutMs: 1500 }).run(task('hang', 1)), 42);
    assert.equal(pool.stats().threadsReplaced, 1);
  });

  it('gives up a task that hangs twice with the code of the time limit', async () => {
    await rejectsCode(open({ taskTimeoutMs: 700 }).run(task('hang')), 'STUN_PROVER_TIMEOUT');
    assert.equal(pool.stats().retried, 1);
  });

  it('survives threads that run out of memory, and says so of the task', async () => {
    open({ heapLimitMb: 32 });
    const greedy = rejectsCode(pool.run(task('oom', 2)), 'STUN_PROVER_MEMORY');
    const after = pool.run(task('double', 0));
    await greedy;
    assert.equal(await after, 42);
  });

  it('hands a refused task back with the code of the thread, without a second attempt and without ending the thread', async () => {
    await rejectsCode(open().run(task('refuse')), 'STUN_PROOF_WITNESS');
    const { retried, threadsReplaced, failed } = pool.stats();
    assert.deepEqual({ retried, threadsReplaced, failed }, { retried: 0, threadsReplaced: 0, failed: 1 });
  });

  it('takes a waiting task back when its signal aborts, without a thread', async () => {
    open();
    const running = pool.run(task('wait-for-release'));
    const stop = new AbortController();
    const waiting = rejectsCode(pool.run(task('double', 0), { signal: stop.signal }), 'STUN_PROVER_ABORTED');
    assert.equal(pool.stats().queued, 1);
    stop.abort();
    await waiting;
    assert.equal(pool.stats().queued, 0);
    release();
    assert.equal(await running, 42);
    assert.equal(pool.stats().threadsReplaced, 0);
  });

  it('stops a running task when its signal aborts and goes on with a new thread', async () => {
    open();
    const stop = new AbortController();
    const running = rejectsCode(pool.run(task('hang'), { signal: stop.signal }), 'STUN_PROVER_ABORTED');
    await attemptsBegun(1);
    stop.abort();
    await running;
    assert.equal(await pool.run(task('double', 0)), 42);
    assert.equal(pool.stats().threadsReplaced, 1);
  });

  it('refuses a task whose signal has aborted before', async () => {
    await rejectsCode(open().run(task('double'), { signal: AbortSignal.abort() }), 'STUN_PROVER_ABORTED');
  });

  it('refuses a task over the queue limit with a hint when to come back, and takes one when there is room again', async () => {
    open({ queueLimit: 1 });
    const running = pool.run(task('wait-for-release'));
    const waiting = pool.run(task('double', 0));
    const refused: unknown = await pool.run(task('double', 0)).catch((error: unknown) => error);
    assert.ok(refused instanceof StunError && refused.code === 'STUN_PROVER_BUSY');
    assert.ok(Number(refused.details['retryAfterMs']) > 0);
    release();
    assert.deepEqual(await Promise.all([running, waiting]), [42, 42]);
    assert.equal(await pool.run(task('double', 0)), 42);
  });

  it('runs the waiting task of higher priority first', async () => {
    open();
    const running = pool.run(task('wait-for-release'));
    const order: string[] = [];
    const low = pool.run(task('double', 0), { priority: 1 }).then(() => order.push('low'));
    const high = pool.run(task('double', 0), { priority: 2 }).then(() => order.push('high'));
    release();
    await Promise.all([running, low, high]);
    assert.deepEqual(order, ['high', 'low']);
  });

  it('ends waiting tasks and lets the running one finish when it closes', async () => {
    open();
    const running = pool.run(task('wait-for-release'));
    await attemptsBegun(1);
    const waiting = rejectsCode(pool.run(task('double', 0)), 'STUN_PROVER_CLOSED');
    const closed = pool.close();
    await waiting;
    release();
    assert.equal(await running, 42);
    await closed;
    await rejectsCode(pool.run(task('double', 0)), 'STUN_PROVER_CLOSED');
  });

  for (const [field, value] of [
    ['threads', 0],
    ['threads', 1.5],
    ['queueLimit', -1],
    ['taskTimeoutMs', 0],
    ['heapLimitMb', 0],
  ] as const) {
    it(`refuses ${field} = ${value} instead of clamping it`, () => {
      open();
      throwsCode(
        () =>
          new ThreadPool({
            workerFile,
            workerData: {},
            threads: 1,
            queueLimit: 0,
            taskTimeoutMs: 1,
            heapLimitMb: 16,
            budget: UNLIMITED,
            [field]: value,
          }),
        'STUN_CONFIG',
      );
    });
  }
});
