/**
 * Threads that may die: a Piscina pool behind a bounded waiting line. A thread that crashes, hangs or runs out of memory is
 * replaced and its task tried once more; then the task fails alone with a code. A refused task costs no thread.
 *
 * The shorter the line, the more cores a task gets: alone it has all of them, which is the shortest wait; with enough others each has one,
 * which is the most proofs. A task keeps what it began with.
 *
 * Piscina gets one task per thread and never more, so that a time limit starts when a task starts, and waiting is in our hands.
 * Running tasks share a budget of memory: a task waits until there is room for it beside those that run, and gets only as many cores as
 * there is room for. A task that its backend got wrong goes back to the head of the line, with what the next backend takes.
 */
import { Piscina } from 'piscina';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { CONTROL_BYTES, type GivenTask, type ThreadReply } from './thread-reply.ts';
import { Histogram } from './histogram.ts';
import { PROOF_STAGES, type ProofStage, type ProveOptions, type TimeHistogram } from './interface.ts';
import { WaitingLine } from './waiting-line.ts';

/** Cores are shared out evenly: all of them for a task that is alone, one each when there are as many tasks as cores. */
export function coresPerTask(cores: number, tasks: number): number {
  return Math.max(1, Math.floor(cores / Math.max(1, tasks)));
}

/** How a pool is built; every field has to be chosen. */
export interface ThreadPoolOptions<Task> {
  /** Absolute path of the thread's program; its default export takes a GivenTask and gives a ThreadReply. */
  readonly workerFile: string;
  /** Given to every thread, shared memory uncopied. */
  readonly workerData: object;
  /** Threads, all started at once and kept; at least 1. */
  readonly threads: number;
  /** Tasks that may wait beside the running ones; 0 or more. */
  readonly queueLimit: number;
  /** For one attempt, start of a fresh thread included. */
  readonly taskTimeoutMs: number;
  /** JavaScript heap of one thread. */
  readonly heapLimitMb: number;
  /** Memory outside of the heaps that all running tasks share. */
  readonly budget: TaskBudget<Task>;
}

/** What running tasks may take together outside of their threads' heaps, and what one takes on that many cores with that backend; bytes. */
export interface TaskBudget<Task> {
  readonly bytes: number;
  readonly needed: (task: Task, cores: number, backend: number) => number;
}

/** Counters of a pool. */
export interface ThreadPoolStats {
  readonly queued: number;
  readonly running: number;
  /** Waiting tasks that a thread is free for, but no memory. */
  readonly waitingForMemory: number;
  /** Memory that running tasks have of the budget. */
  readonly takenBytes: number;
  /** Cores that a task would get which began now, and attempts that began with more than one. */
  readonly coresPerTask: number;
  readonly begunOnSeveralCores: number;
  readonly done: number;
  readonly failed: number;
  readonly retried: number;
  readonly threadsReplaced: number;
  readonly time: TimeHistogram;
  readonly largestThreadHeapBytes: number;
}

const ATTEMPTS = 2;
/** How often a running proof is asked for its stage, where somebody wants to know. */
const STAGE_POLL_MS = 20;
const TIMED_OUT = Symbol('timed out');

interface Job<Task, Value> {
  readonly task: Task;
  /** As in GivenTask. */
  backend: number;
  readonly priority: number;
  readonly signal: AbortSignal | undefined;
  readonly progress: ((stage: ProofStage) => void) | undefined;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: StunError) => void;
}

/** How one attempt ended. */
type Attempt<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly error: StunError }
  | { readonly kind: 'next'; readonly error: StunError }
  | { readonly kind: 'lost'; readonly error: StunError };

function assertInteger(value: number, least: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new StunError('STUN_CONFIG', `${what} must be an integer of at least ${least}`);
  }
}

function aborted(): StunError {
  return new StunError('STUN_PROVER_ABORTED', 'the task was taken back by its caller');
}

/** A pool of threads that run one program. */
export class ThreadPool<Task, Value> {
  readonly #options: ThreadPoolOptions<Task>;
  readonly #threads: Piscina;
  readonly #waiting: WaitingLine<Job<Task, Value>>;
  readonly #running = new Set<Promise<void>>();
  readonly #time = new Histogram();
  #closed = false;
  #retiring = 0;
  #done = 0;
  #failed = 0;
  #retried = 0;
  #replaced = 0;
  /** Tasks that have begun and not ended. */
  #begun = 0;
  #begunOnSeveralCores = 0;
  /** Bytes of the budget that running tasks have. */
  #taken = 0;
  #largestHeapBytes = 0;

  /** @throws `STUN_CONFIG` for a number that is out of range: nothing is clamped */
  constructor(options: ThreadPoolOptions<Task>) {
    assertInteger(options.threads, 1, 'threads');
    assertInteger(options.queueLimit, 0, 'queueLimit');
    assertInteger(options.taskTimeoutMs, 1, 'taskTimeoutMs');
    assertInteger(options.heapLimitMb, 1, 'heapLimitMb');
    this.#options = options;
    this.#waiting = new WaitingLine(options.queueLimit);
    this.#threads = new Piscina({
      filename: options.workerFile,
      workerData: options.workerData,
      minThreads: options.threads,
      maxThreads: options.threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: Infinity,
      resourceLimits: { maxOldGenerationSizeMb: options.heapLimitMb },
    });
    // A thread that ends between tasks; the next task starts another.
    this.#threads.on('error', () => void this.#replaced++);
  }

  /**
   * Runs one task.
   * @throws the code the thread refused it with, or `STUN_PROVER_BUSY`, `STUN_PROVER_ABORTED`, `STUN_PROVER_TIMEOUT`,
   *   `STUN_PROVER_MEMORY` (also at once when the whole budget does not hold it), `STUN_PROVER_CRASHED`, `STUN_PROVER_CLOSED`
   */
  run(task: Task, options: ProveOptions = {}): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const { signal, progress, priority = 0 } = options;
    const job: Job<Task, Value> = { task, backend: 0, priority, signal, progress, resolve, reject };
    if (this.#closed) reject(new StunError('STUN_PROVER_CLOSED', 'the pool is closed'));
    else if (signal?.aborted === true) reject(aborted());
    else if (this.#needed(job, 1) > this.#options.budget.bytes) reject(this.#tooLarge(job));
    else if (this.#waiting.length === 0 && this.#canStart(job)) this.#start(job);
    else if (this.#waiting.add(job)) this.#watchWaiting(job);
    else reject(this.#busy());
    return promise;
  }

  get #hasFreeThread(): boolean {
    return this.#retiring === 0 && this.#running.size < this.#options.threads;
  }

  #needed(job: Job<Task, Value>, cores: number): number {
    return this.#options.budget.needed(job.task, cores, job.backend);
  }

  #hasRoom(job: Job<Task, Value>): boolean {
    return this.#taken + this.#needed(job, 1) <= this.#options.budget.bytes;
  }

  #canStart(job: Job<Task, Value>): boolean {
    return this.#hasFreeThread && this.#hasRoom(job);
  }

  /** The most cores up to `cores` for which there is memory beside what others have; a task that has begun always has room for one. */
  #affordable(job: Job<Task, Value>, cores: number): number {
    const others = this.#taken - this.#needed(job, 1);
    let affordable = cores;
    while (affordable > 1 && others + this.#needed(job, affordable) > this.#options.budget.bytes) affordable--;
    return affordable;
  }

  #tooLarge(job: Job<Task, Value>): StunError {
    const [neededMb, limitMb] = [this.#needed(job, 1), this.#options.budget.bytes].map((bytes) => Math.ceil(bytes / 2 ** 20));
    return new StunError('STUN_PROVER_MEMORY', `the task takes ${neededMb} MB, all running tasks may take ${limitMb} MB`);
  }

  #busy(): StunError {
    const perTaskMs = this.#time.meanMs ?? this.#options.taskTimeoutMs / 2;
    const retryAfterMs = Math.ceil(perTaskMs * (1 + this.#waiting.length / this.#options.threads));
    return new StunError('STUN_PROVER_BUSY', `${this.#waiting.length} tasks wait, the limit is ${this.#options.queueLimit}`, {
      details: { retryAfterMs, queueLimit: this.#options.queueLimit },
    });
  }

  #watchWaiting(job: Job<Task, Value>): void {
    job.signal?.addEventListener(
      'abort',
      () => {
        if (!this.#waiting.remove(job)) return;
        job.reject(aborted());
        // The others may have waited for its memory alone.
        this.#startWaiting();
      },
      { once: true },
    );
  }

  #startWaiting(): void {
    // In the order of the line: a large task is not passed by small ones for ever.
    for (let job = this.#waiting.first; job !== undefined && this.#canStart(job); job = this.#waiting.first) {
      this.#waiting.take();
      this.#start(job);
    }
  }

  #start(job: Job<Task, Value>): void {
    this.#begun++;
    const taken = this.#needed(job, 1);
    this.#taken += taken;
    const run = this.#attempts(job).finally(() => {
      this.#running.delete(run);
      this.#taken -= taken;
      this.#startWaiting();
    });
    this.#running.add(run);
  }

  /** Lets a task wait, before all others of its priority, for the memory that its next backend takes. */
  #putBack(job: Job<Task, Value>, error: StunError): void {
    job.backend++;
    if (this.#closed || this.#needed(job, 1) > this.#options.budget.bytes) {
      this.#failed++;
      job.reject(error);
      return;
    }
    this.#waiting.putBack(job);
    this.#watchWaiting(job);
  }

  async #attempts(job: Job<Task, Value>): Promise<void> {
    // Tasks that come together are all counted before the first begins.
    await Promise.resolve();
    for (let attempt = 1; ; attempt++) {
      const startedAtMs = performance.now();
      const end = await this.#attempt(job);
      if (end.kind === 'done') {
        this.#done++;
        this.#begun--;
        this.#time.observe(performance.now() - startedAtMs);
        job.resolve(end.value);
        return;
      }
      if (end.kind === 'next') {
        this.#begun--;
        this.#putBack(job, end.error);
        return;
      }
      if (end.kind === 'lost') this.#replaced++;
      if (end.kind === 'failed' || attempt === ATTEMPTS) {
        this.#failed++;
        this.#begun--;
        job.reject(end.error);
        return;
      }
      this.#retried++;
    }
  }

  async #attempt(job: Job<Task, Value>): Promise<Attempt<Value>> {
    const stop = new AbortController();
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
    // A thread in native code does not end before that code returns.
    stop.signal.addEventListener('abort', () => void Atomics.store(control, 0, 1), { once: true });
    const watch = job.progress === undefined ? undefined : this.#watchStage(control, job.progress);
    const timer = setTimeout(() => stop.abort(TIMED_OUT), this.#options.taskTimeoutMs);
    const onAbort = (): void => stop.abort();
    job.signal?.addEventListener('abort', onAbort, { once: true });
    if (job.signal?.aborted === true) stop.abort();
    const threads = this.#affordable(job, coresPerTask(this.#options.threads, this.#begun + this.#waiting.length));
    const memoryBytes = this.#needed(job, threads);
    const more = memoryBytes - this.#needed(job, 1);
    this.#taken += more;
    try {
      if (threads > 1) this.#begunOnSeveralCores++;
      const given: GivenTask<Task> = { task: job.task, control: control.buffer, threads, backend: job.backend, memoryBytes };
      return await this.#judge((await this.#threads.run(given, { signal: stop.signal })) as ThreadReply<Value>);
    } catch (cause) {
      if (stop.signal.reason === TIMED_OUT) {
        return this.#lost('STUN_PROVER_TIMEOUT', `no result within ${this.#options.taskTimeoutMs} ms`, cause);
      }
      if (stop.signal.aborted) {
        this.#replaced++;
        return { kind: 'failed', error: aborted() };
      }
      if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY') {
        return this.#lost('STUN_PROVER_MEMORY', `the thread needed more than ${this.#options.heapLimitMb} MB of heap`, cause);
      }
      return this.#lost('STUN_PROVER_CRASHED', 'the thread ended before the task did', cause);
    } finally {
      this.#taken -= more;
      clearTimeout(timer);
      clearInterval(watch);
      job.signal?.removeEventListener('abort', onAbort);
    }
  }

  #watchStage(control: Int32Array, progress: (stage: ProofStage) => void): NodeJS.Timeout {
    let told = -1;
    return setInterval(() => {
      const reached = Atomics.load(control, 1);
      const stage = PROOF_STAGES[reached];
      if (reached === told || stage === undefined) return;
      told = reached;
      progress(stage);
    }, STAGE_POLL_MS);
  }

  #lost(code: ErrorCode, reason: string, cause?: unknown): Attempt<Value> {
    return { kind: 'lost', error: new StunError(code, reason, cause === undefined ? {} : { cause }) };
  }

  async #judge(reply: ThreadReply<Value>): Promise<Attempt<Value>> {
    switch (reply.kind) {
      case 'done':
        this.#largestHeapBytes = Math.max(this.#largestHeapBytes, reply.heapBytes);
        return { kind: 'done', value: reply.value };
      case 'refused':
        return { kind: 'failed', error: new StunError(reply.code, reply.reason, { details: reply.details }) };
      case 'next':
        return {
          kind: 'next',
          error: new StunError('STUN_PROVER_CRASHED', `${reply.reason}, and no other backend was left to try`),
        };
      case 'broken':
        await this.#retire(reply.threadId);
        return reply.outOfMemory
          ? this.#lost('STUN_PROVER_MEMORY', `the thread could not get memory: ${reply.reason}`)
          : this.#lost('STUN_PROVER_CRASHED', `the thread failed: ${reply.reason}`);
    }
  }

  /** Ends one thread that answered but cannot be trusted to work; no task is started meanwhile, or it might land there. */
  async #retire(threadId: number): Promise<void> {
    this.#retiring++;
    try {
      await this.#threads.threads.find((thread) => thread.threadId === threadId)?.terminate();
    } finally {
      this.#retiring--;
    }
  }

  stats(): ThreadPoolStats {
    const first = this.#waiting.first;
    const isMemoryShort = first !== undefined && this.#hasFreeThread && !this.#hasRoom(first);
    return {
      queued: this.#waiting.length,
      running: this.#running.size,
      waitingForMemory: isMemoryShort ? Math.min(this.#waiting.length, this.#options.threads - this.#running.size) : 0,
      takenBytes: this.#taken,
      coresPerTask: coresPerTask(this.#options.threads, this.#begun + this.#waiting.length + 1),
      begunOnSeveralCores: this.#begunOnSeveralCores,
      done: this.#done,
      failed: this.#failed,
      retried: this.#retried,
      threadsReplaced: this.#replaced,
      time: this.#time.snapshot(),
      largestThreadHeapBytes: this.#largestHeapBytes,
    };
  }

  /** Refuses new tasks, ends waiting ones with `STUN_PROVER_CLOSED`, lets running ones finish, ends the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.drain())
      job.reject(new StunError('STUN_PROVER_CLOSED', 'the pool closed before the task started'));
    await Promise.all(this.#running);
    await this.#threads.destroy();
  }
}
