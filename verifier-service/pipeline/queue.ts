/**
 * The durable queue, pg-boss on the store's own database. Tasks are sent inside the transaction that makes them necessary; they carry
 * ids alone. Every task can run twice: its handler looks at the state first.
 */
import { PgBoss, type Db as QueueDb } from 'pg-boss';
import type { Database, Trx } from '../db/open.ts';
import { queueDbOf } from '../db/open.ts';

/** The queues and how their tasks are tried again. Seconds. */
export const queues = {
  prove: { retryLimit: 1000, retryDelay: 2, retryBackoff: true, retryDelayMax: 60, heartbeatSeconds: 30, expireInSeconds: 3600 },
  settle: {
    retryLimit: 10_000,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 30,
    heartbeatSeconds: 30,
    expireInSeconds: 3600,
  },
  webhook: { retryLimit: 12, retryDelay: 5, retryBackoff: true, retryDelayMax: 3600, heartbeatSeconds: 30, expireInSeconds: 60 },
  sweep: { retryLimit: 0, expireInSeconds: 600 },
} as const;
/** Name of a queue. */
export type QueueName = keyof typeof queues;

/** What a handler is given. */
export interface Task {
  readonly id: string;
  /** Attempts before this one. */
  readonly retryCount: number;
  /** Tries that came too early before this one, see {@link TaskQueue.settle}. */
  readonly waits: number;
  /** Aborted when the process stops or the task lost its heartbeat. */
  readonly signal: AbortSignal;
}

/** Sends tasks, in the transaction given. */
export interface TaskQueue {
  prove(trx: Trx, segmentId: string): Promise<void>;
  /** @param wait - tries that came too early: the task runs after 2 to that power seconds, 10 minutes at most; absent: at once */
  settle(trx: Trx, segmentId: string, wait?: number): Promise<void>;
  webhook(trx: Trx, deliveryId: string): Promise<void>;
  /** Runs tasks of a queue in this process. A handler that throws has its task tried again later. */
  work(name: QueueName, concurrency: number, handler: (task: Task) => Promise<void>): Promise<void>;
  /** Those of the segments that have a task which waits or runs. */
  withTask(segmentIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Tasks that wait, and that run, by queue. */
  depth(): Promise<
    readonly { readonly queue: string; readonly waiting: number; readonly running: number; readonly failed: number }[]
  >;
  start(): Promise<void>;
  /** Lets running tasks finish within the grace, then ends. */
  stop(graceMs: number): Promise<void>;
}

/** What is stored of a task. */
interface TaskData {
  readonly id: string;
  readonly waits?: number;
}

const MAX_WAIT_SECONDS = 600;
const SCHEMA = 'stun_queue';

/** Opens the queue. @param supervise - whether this process looks after lost tasks; one of the processes must */
export function createQueue(database: Database, supervise: boolean, onError: (error: Error) => void): TaskQueue {
  const boss = new PgBoss({
    db: database.queueDb,
    backend: database.kind === 'postgres' ? 'postgres' : 'pglite',
    schema: SCHEMA,
    supervise,
    schedule: false,
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
  });
  boss.on('error', onError);
  const send = async (name: QueueName, trx: Trx, data: TaskData, later: { startAfter?: number } = {}): Promise<void> => {
    const db: QueueDb = queueDbOf(trx);
    await boss.send(name, data, { db, ...later });
  };
  return {
    prove: (trx, id) => send('prove', trx, { id }),
    settle: (trx, id, wait) =>
      wait === undefined
        ? send('settle', trx, { id })
        : send('settle', trx, { id, waits: wait + 1 }, { startAfter: Math.min(2 ** wait, MAX_WAIT_SECONDS) }),
    webhook: (trx, id) => send('webhook', trx, { id }),
    async work(name, concurrency, handler) {
      const options = {
        batchSize: 1,
        localConcurrency: concurrency,
        pollingIntervalSeconds: 0.5,
        includeMetadata: true,
      } as const;
      await boss.work<TaskData, void, typeof options>(name, options, async ([job]) => {
        if (job === undefined) return;
        await handler({ id: job.data.id, waits: job.data.waits ?? 0, retryCount: job.retryCount, signal: job.signal });
      });
    },
    async withTask(segmentIds) {
      const statement = `select distinct data->>'id' as id from ${SCHEMA}.job
        where name in ('prove', 'settle') and state in ('created', 'retry', 'active') and data->>'id' = any($1)`;
      const { rows } = await database.queueDb.executeSql(statement, [[...segmentIds]]);
      return new Set(rows.map((row) => String((row as { id: unknown }).id)));
    },
    async depth() {
      const all = await boss.getQueues(Object.keys(queues));
      return Promise.all(
        all.map(async ({ name }) => {
          const [stats] = await boss.getQueueStats(name, { force: true });
          return {
            queue: name,
            waiting: stats?.queuedCount ?? 0,
            running: stats?.activeCount ?? 0,
            failed: stats?.failedCount ?? 0,
          };
        }),
      );
    },
    async start() {
      await boss.start();
      for (const [name, options] of Object.entries(queues)) {
        await boss.createQueue(name, { ...options });
        // The first use of a queue reads its row outside the transaction of `send`. On the one connection of PGlite that would wait
        // for the transaction itself, for ever: so the first use is here.
        await boss.findJobs(name, { id: '00000000-0000-0000-0000-000000000000' });
      }
    },
    stop: (graceMs) => boss.stop({ graceful: true, timeout: Math.max(graceMs, 1000), close: false }),
  };
}
