/**
 * What the service costs when its store is full: a PostgreSQL server of its own is filled with as many enclaves, orders and jobs as a
 * large deployment holds, and every hot operation is timed on it over HTTP, beside the same on the empty store in the same run. Then
 * each operation runs once more with every statement explained, and the run fails when one reads a large table from end to end, or
 * more rows than a page and its bounds can explain.
 *
 * `STUN_BENCH_SIZE=full` fills in 100,000 enclaves of as many providers, 200,000 orders and a million jobs; otherwise a tenth of it.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { RunningService } from '#service/service.ts';
import { World } from '#test/integration/service/world.ts';
import { startCluster, withClient, type Cluster } from './capacity/cluster.ts';
import { fill, type FillSize, type Specimen } from './capacity/fill.ts';
import * as on from './capacity/operations.ts';
import { explained } from './capacity/plans.ts';
import { summarise, type Figure } from './figure.ts';

const sizes: Readonly<Record<string, FillSize>> = {
  small: { enclaves: 10_000, orders: 20_000, jobs: 100_000 },
  full: { enclaves: 100_000, orders: 200_000, jobs: 1_000_000 },
};
const LANES = 8;
const JOBS_PER_LANE = 6;
const READS = 20;
/** Workers that wait at once, and for how long. */
const WAITING = 500;
const WAIT_MS = 10_000;
const PARALLEL = 6;
/** No statement may look at more rows. Sweeps look at the queued jobs, pages at their rows; gauges may count a tenth of all jobs. */
const MOST_ROWS = 15_000;
/** Tables this small are rightly read whole. */
const SMALL_TABLE = 1000;

type Samples = Map<string, number[]>;

async function timed<T>(samples: Samples, name: string, body: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const value = await body();
  samples.set(name, [...(samples.get(name) ?? []), performance.now() - startedAt]);
  return value;
}

/** Times every operation on the store as it is. */
async function measure(party: on.Party, firstLane: number): Promise<{ samples: Samples; rates: Rate[] }> {
  const samples: Samples = new Map();
  let jobId = '';
  for (let i = 0; i < LANES; i++) {
    const { lane, bundle } = await on.prepareLane(party, firstLane + i, JOBS_PER_LANE);
    for (const prepared of lane) {
      await timed(samples, 'submit a job', () => on.submit(party, prepared));
      const leased = await timed(samples, 'lease a job', () => on.lease(party));
      if (leased === undefined) throw new StunError('STUN_INTERNAL', 'a submitted job was not leased');
      await timed(samples, 'complete a job', () => on.complete(party, leased, prepared.result));
    }
    await timed(samples, `hand over a segment of ${JOBS_PER_LANE}`, () => on.handOver(party, bundle));
    jobId = lane[0]?.job.jobId ?? '';
  }
  const operations = on.reading(party, jobId, await modelOf(party), await deepCursor(party));
  for (const [name, operation] of operations) for (let i = 0; i < READS; i++) await timed(samples, name, operation);
  const rates: Rate[] = [];
  for (let i = 0; i < 2; i++) rates.push(await rate(party, firstLane + LANES + i * PARALLEL));
  return { samples, rates };
}

/** A rate, and what it costs whatever else the machine does. */
interface Rate {
  readonly jobsPerSecond: number;
  /** Of the process, in which service and clients run; the database server is another. */
  readonly cpuMsPerJob: number;
}

/** Jobs a second through one process, lanes in parallel: submit, lease, complete. */
async function rate(party: on.Party, firstLane: number): Promise<Rate> {
  const lanes = await Promise.all(
    Array.from({ length: PARALLEL }, (_, i) => on.prepareLane(party, firstLane + i, JOBS_PER_LANE)),
  );
  const results = new Map(lanes.flatMap(({ lane }) => lane.map(({ job, result }) => [job.jobId, result])));
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  await Promise.all(
    lanes.map(async ({ lane }) => {
      for (const prepared of lane) await on.submit(party, prepared);
    }),
  );
  const serve = async (): Promise<void> => {
    for (let leased = await on.lease(party); leased !== undefined; leased = await on.lease(party)) {
      const result = results.get(leased.jobId);
      if (result === undefined) throw new StunError('STUN_INTERNAL', 'a job of another round was leased');
      await on.complete(party, leased, result);
    }
  };
  await Promise.all(Array.from({ length: 4 }, serve));
  const { user, system } = process.cpuUsage(cpuBefore);
  const jobsPerSecond = (results.size * 1000) / (performance.now() - startedAt);
  return { jobsPerSecond, cpuMsPerJob: (user + system) / 1000 / results.size };
}

/** A model that a hundredth of the enclaves serve, or the party's own on an empty store. */
async function modelOf(party: on.Party): Promise<string> {
  const { json } = on.expect(await party.customer.get('/v1/enclaves?limit=2'), 200, 'listing');
  const items = (json as { items: { models: { modelId: string }[] }[] }).items;
  return items.at(-1)?.models[0]?.modelId ?? '';
}

/** A cursor in the middle of the list: fifty pages of 200 on. */
async function deepCursor(party: on.Party): Promise<string> {
  const { json } = on.expect(await party.customer.get('/v1/enclaves?limit=1'), 200, 'listing');
  const [first] = (json as { items: { listedAtUnix: number; keysetDigest: string }[] }).items;
  const atMs = ((first?.listedAtUnix ?? 0) + 1) * 1000 - 5000;
  return Buffer.from(JSON.stringify([atMs, first?.keysetDigest ?? ''])).toString('base64url');
}

/** What a poll costs that finds no work and waits to its end: CPU time of service and clients. */
async function waiting(party: on.Party): Promise<Figure> {
  const { keysetDigest } = party.enclave;
  const poll = async (): Promise<void> => {
    on.expect(await party.worker.post('/v1/worker/leases', { keysetDigest, waitMs: WAIT_MS }), 204, 'waiting');
  };
  const cpuBefore = process.cpuUsage();
  await Promise.all(Array.from({ length: WAITING }, poll));
  const { user, system } = process.cpuUsage(cpuBefore);
  const name = `a poll that finds nothing, ${WAITING} at once for ${WAIT_MS / 1000} s: CPU time of service and clients`;
  return summarise(name, 'ms', [(user + system) / 1000 / WAITING]);
}

/** Runs each operation once with its plans logged. @throws `STUN_INTERNAL` when one reads what it should not */
async function explainAll(cluster: Cluster, party: on.Party, firstLane: number, size: FillSize): Promise<Figure[]> {
  const { lane, bundle } = await on.prepareLane(party, firstLane, 2);
  const [first, second] = lane as [on.Prepared, on.Prepared];
  let leased: on.Leased | undefined;
  const operations: [string, () => Promise<unknown>][] = [
    ['submit a job', () => on.submit(party, first)],
    ['submit a job', () => on.submit(party, second)],
    ['lease a job', async () => (leased = await on.lease(party))],
    ['complete a job', () => on.complete(party, leased!, first.result)],
    ['lease and complete a job', async () => on.complete(party, (await on.lease(party))!, second.result)],
    ['hand over a segment of 2', () => on.handOver(party, bundle)],
    ...on.reading(party, first.job.jobId, await modelOf(party), await deepCursor(party)),
  ];
  const figures: Figure[] = [];
  const faults: string[] = [];
  await withClient(cluster.url, async (client) => {
    for (const [name, operation] of operations) {
      const read = await explained(client, cluster.logPath, operation);
      figures.push(summarise(`${name}: rows read`, 'rows', [read.rows]));
      for (const scan of read.scans.filter((one) => one.rows > SMALL_TABLE)) {
        faults.push(`${name} reads all ${scan.rows} rows of ${scan.table}`);
      }
      for (const { rows, statement } of read.each)
        if (rows > (name === 'metrics' ? size.jobs / 10 : MOST_ROWS)) faults.push(`${name} reads ${rows} rows in: ${statement}`);
    }
  });
  if (faults.length > 0) throw new StunError('STUN_INTERNAL', faults.join('\n'));
  process.stderr.write(`plans of ${operations.length} operations: none reads a large table from end to end\n`);
  return figures;
}

/** Texts and bytes of one real enclave and segment. */
async function specimenOf(party: on.Party, jobs: number): Promise<Specimen> {
  const { lane, bundle } = await on.prepareLane(party, 1_000_000, jobs);
  const [{ job, result }] = lane as [on.Prepared];
  const { listing, keysetBytes } = party.enclave;
  return {
    evidence: String(listing['evidence']),
    policy: JSON.stringify(listing['policy']),
    keyset: keysetBytes,
    terms: JSON.stringify(party.order.announcement['terms']),
    header: JSON.stringify(job.wire),
    record: JSON.stringify(result.record),
    bundle: JSON.stringify(bundle),
    envelope: job.envelope,
    sealed: result.sealed,
  };
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** The service under measurement: its own loops are still, so that nothing but the operations runs. */
async function startQuietService(world: World): Promise<RunningService> {
  const limits = {
    accountRequestsPerMinute: 10_000_000,
    addressRequestsPerMinute: 10_000_000,
    publicRequestsPerMinute: 10_000_000,
  };
  return world.startService({ ...limits, chainPollMs: 60_000, sweepMs: 600_000, enclaveGoneSeconds: 86_400 });
}

/** Measures. Needs PostgreSQL's server programs on this machine. */
export async function run(): Promise<Figure[]> {
  const name = process.env['STUN_BENCH_SIZE'] ?? 'small';
  const size = sizes[name];
  if (size === undefined)
    throw new StunError('STUN_INPUT', `STUN_BENCH_SIZE: expected ${Object.keys(sizes).join(' or ')}, got ${name}`);
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const cluster = await startCluster();
  progress(`PostgreSQL ${cluster.version}, size ${name}`);
  try {
    const world = await World.create({ createMigrated: async () => ({ database: cluster.url, drop: async () => undefined }) });
    try {
      const party = await on.createParty(world, await startQuietService(world));
      const empty = await measure(party, 0);
      const filled = await withClient(cluster.url, async (client) =>
        fill(client, size, await specimenOf(party, size.jobs / size.orders), progress),
      );
      const full = await measure(party, 1000);
      const figures = [...full.samples].flatMap(([operation, values]) => {
        const beside = empty.samples.get(operation) ?? [];
        const late = percentile(values, 0.95);
        return [
          summarise(`${operation}: p50 (beside the empty store)`, 'ms', values, percentile(beside, 0.5)),
          summarise(`${operation}: p95 (beside the empty store)`, 'ms', [late], percentile(beside, 0.95)),
        ];
      });
      figures.push(
        summarise(
          'submit, lease and complete, one process (beside the empty store)',
          'jobs/s',
          full.rates.map((one) => one.jobsPerSecond),
          percentile(
            empty.rates.map((one) => one.jobsPerSecond),
            0.5,
          ),
          'higher',
        ),
        summarise(
          'submit, lease and complete: CPU time of service and clients (beside the empty store)',
          'ms',
          full.rates.map((one) => one.cpuMsPerJob),
          percentile(
            empty.rates.map((one) => one.cpuMsPerJob),
            0.5,
          ),
        ),
        summarise('store per job, kept', 'bytes', [filled.kept / size.jobs]),
        summarise('store per job, until its retention time', 'bytes', [filled.passing / size.jobs]),
        summarise('store per enclave', 'bytes', [filled.perEnclave / size.enclaves]),
      );
      // The plans may end the run: what was measured is not lost then.
      for (const { name: what, median, baseline } of figures)
        progress(`${what}: ${median.toFixed(2)}, ${baseline?.toFixed(2) ?? '-'}`);
      figures.push(await waiting(party));
      return [...figures, ...(await explainAll(cluster, party, 5000, size))];
    } finally {
      await world.close();
    }
  } finally {
    await cluster.stop();
  }
}
