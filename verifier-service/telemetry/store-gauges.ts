/** Gauges over the store, read when Prometheus asks: jobs and segments by state, queues, webhooks, memory of the prover. */
import { Gauge, Registry } from 'prom-client';
import type { ProverStats } from '#prover/interface.ts';
import { bindingStates } from '../jobs/states.ts';
import type { Services } from '../services.ts';

interface Sample {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly values: ReadonlyMap<string, number>;
}

async function storeSamples(services: Services): Promise<readonly Sample[]> {
  const { sql } = services.db;
  const jobs = await sql
    .selectFrom('job')
    .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
    .where('state', 'in', [...bindingStates])
    .groupBy('state')
    .execute();
  const segments = await sql
    .selectFrom('segment')
    .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
    .where('state', 'in', ['batched', 'proven', 'failed'])
    .groupBy('state')
    .execute();
  const depth = await services.queue.depth();
  const byQueue = (pick: (one: (typeof depth)[number]) => number): Map<string, number> =>
    new Map(depth.map((one) => [one.queue, pick(one)]));
  return [
    {
      name: 'stun_service_jobs',
      help: 'Jobs that have not ended, by state',
      label: 'state',
      values: new Map(jobs.map((row) => [row.state, row.count])),
    },
    {
      name: 'stun_service_segments',
      help: 'Segments that have not settled, by state',
      label: 'state',
      values: new Map(segments.map((row) => [row.state, row.count])),
    },
    { name: 'stun_service_queue_waiting', help: 'Tasks that wait', label: 'queue', values: byQueue((one) => one.waiting) },
    { name: 'stun_service_queue_running', help: 'Tasks that run', label: 'queue', values: byQueue((one) => one.running) },
    { name: 'stun_service_queue_failed', help: 'Tasks given up', label: 'queue', values: byQueue((one) => one.failed) },
  ];
}

function proverSamples(stats: ProverStats): readonly Sample[] {
  const { memory } = stats;
  return [
    {
      name: 'stun_service_prover_tasks',
      help: 'Tasks of the prover in this process by what became of them',
      label: 'state',
      values: new Map([
        ['queued', stats.queued],
        ['running', stats.running],
        ['waiting_for_memory', stats.waitingForMemory],
        ['proved', stats.proved],
        ['failed', stats.failed],
        ['retried', stats.retried],
        ['made_by_fallback', stats.backend.madeByFallback],
        ['begun_on_several_cores', stats.begunOnSeveralCores],
        ['processes_replaced', stats.processesReplaced],
      ]),
    },
    {
      name: 'stun_service_prover_cores_per_task',
      help: 'Cores that a proof would get which began now: more than one when few wait',
      label: 'of',
      values: new Map([[String(stats.threads), stats.coresPerTask]]),
    },
    {
      name: 'stun_service_prover_backend',
      help: 'The backend that makes the proofs, with its engine',
      label: 'backend',
      values: new Map([[`${stats.backend.name} ${stats.backend.engine}`, 1]]),
    },
    {
      name: 'stun_service_prover_memory_bytes',
      help: 'Memory of the prover in this process',
      label: 'part',
      values: new Map([
        ['limit', memory.limitBytes],
        ['planned', memory.plannedBytes],
        ['rss', memory.rssBytes],
        ['shared_keys', memory.sharedKeyBytes],
        ['largest_thread_heap', memory.largestThreadHeapBytes],
      ]),
    },
  ];
}

/** The whole exposition. */
export async function renderMetrics(services: Services): Promise<string> {
  const prover = services.proverStats?.();
  const samples = [...(await storeSamples(services)), ...(prover === undefined ? [] : proverSamples(prover))];
  const registry = new Registry();
  for (const sample of samples) {
    const gauge = new Gauge({ name: sample.name, help: sample.help, labelNames: [sample.label], registers: [registry] });
    for (const [value, count] of sample.values) gauge.set({ [sample.label]: value }, count);
  }
  return `${await services.metrics.registry.metrics()}\n${await registry.metrics()}`;
}
