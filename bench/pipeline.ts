/**
 * Jobs a second through the whole pipeline: a customer's client seals and submits, the service hands out, a worker in a simulated TDX
 * machine answers and signs, segments are proved and settled on a development chain. Every part is a process of its own, as `npm start`
 * runs them; all share this machine. The embedded PGlite first, then PostgreSQL beside it: at `STUN_TEST_POSTGRES_URL` when that is
 * set, otherwise a server of its own where one is installed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureCircuit } from '#circuits/manifest.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { connectClient, fetchResult, openOrder, submitJobs, type ClientConnection, type OrderRecord } from '#client/index.ts';
import { creditJobs, creditModelId } from '#cli/demo/credit-jobs.ts';
import { ACCOUNT, addressOf, createLocalStack, type LocalStack } from '#cli/stack/local-stack.ts';
import { StunError } from '#protocol/index.ts';
import { pageSchema } from '#service/http/pagination.ts';
import { jobSchema, type JobView } from '#service/jobs/views.ts';
import { engines } from '#test/integration/service/engines.ts';
import { hasServer, startCluster } from './capacity/cluster.ts';
import { summarise, type Figure } from './figure.ts';

const SEGMENT = 16;
const SEGMENTS = 4;
const SINGLE = 32;
const LONG_SEGMENT = 64;
const PRICE = 700n;
const MAX_PRICE = 1000n;
const SCALE = 10n ** 9n;
const DEADLINE_MS = 600_000;
const page = pageSchema(jobSchema);

/** What was measured on one store. */
interface Measured {
  /** One job at a time: from sealing to the opened, checked result. Milliseconds. */
  readonly latencies: number[];
  /** Submitting everything in one lane until the last receipt. */
  readonly receiptedPerSecond: number;
  /** From the first proof to the last: what proving alone lets through. */
  readonly provedPerSecond: number;
  /** From the first submission to the last settlement. */
  readonly settledPerSecond: number;
}

function customerOf(stack: LocalStack): Promise<ClientConnection> {
  return connectClient({
    home: join(stack.directory, 'client'),
    passphrase: 'a passphrase of the benchmark',
    deployment: stack.deployment,
    rpcUrl: stack.chain.url,
    serviceUrl: stack.serviceUrl,
    privateKey: stack.chain.accounts[ACCOUNT.customer]?.privateKey ?? '',
    extraRoots: [stack.trustRoot],
    scryptCost: { n: 1024, r: 8, p: 1 },
  });
}

async function orderOf(stack: LocalStack, client: ClientConnection, segmentLength: number): Promise<OrderRecord> {
  const { order } = await openOrder(client, {
    modelId: creditModelId(),
    policy: simulatedPolicy,
    budgets: [{ provider: addressOf(stack, ACCOUNT.provider), amount: 1000n * MAX_PRICE * SCALE }],
    token: NATIVE_TOKEN,
    deadlineUnix: (await stack.chain.nowUnix()) + 7 * 86_400,
    graceSeconds: 86_400,
    segmentLength,
    priceScale: SCALE,
  });
  return order;
}

/** Waits until the jobs have settled. */
async function untilSettled(client: ClientConnection, jobIds: readonly string[]): Promise<JobView[]> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const { items } = await client.service.http.json({ method: 'GET', path: '/v1/jobs?limit=200' }, page);
    const wanted = items.filter((job) => jobIds.includes(job.jobId));
    const stuck = wanted.find((job) => job.state === 'void' || Date.now() > end);
    if (stuck !== undefined) throw new StunError('STUN_INTERNAL', `a job is ${stuck.state} and not settled`);
    if (wanted.length === jobIds.length && wanted.every((job) => job.state === 'settled')) return wanted;
    await sleep(200);
  }
}

/** Runs the pipeline on one store. */
async function measure(database: string | undefined): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'stun-pipeline-'));
  const stack = await createLocalStack({
    directory,
    price: PRICE,
    segmentIdleMs: 120_000,
    ...(database === undefined ? {} : { database }),
    service: { accountRequestsPerMinute: 1_000_000, addressRequestsPerMinute: 1_000_000 },
  });
  try {
    await stack.startAttestors();
    await stack.startService();
    await stack.startWorker('worker');
    const client = await customerOf(stack);
    const payloads = creditJobs(32).map(({ payload }) => ({ payload, maxPrice: MAX_PRICE }));
    const payload = (i: number): (typeof payloads)[number] => payloads[i % payloads.length]!;
    const latencies: number[] = [];
    // Longer than the jobs sent one by one: nothing is proved beside them. The first opens the lane and is not counted.
    const quiet = await orderOf(stack, client, LONG_SEGMENT);
    for (let i = 0; i <= SINGLE; i++) {
      const startedAt = performance.now();
      const [submitted] = await submitJobs(client, quiet, [payload(i)]);
      const jobId = submitted?.jobId ?? '';
      const { checked } = await fetchResult(client, jobId, { timeoutMs: DEADLINE_MS });
      if (checked.status !== 'served') throw new StunError('STUN_INTERNAL', `job ${jobId} was answered with ${checked.status}`);
      if (i > 0) latencies.push(performance.now() - startedAt);
    }
    const order = await orderOf(stack, client, SEGMENT);
    const startedAtMs = Date.now();
    const count = SEGMENT * SEGMENTS;
    const sent = await submitJobs(
      client,
      order,
      Array.from({ length: count }, (_, i) => payload(i)),
    );
    const jobIds = sent.map((job) => job.jobId);
    const ended = await untilSettled(client, jobIds);
    const times = (of: (job: JobView) => number | undefined): number[] => ended.map((job) => of(job) ?? Number.NaN);
    const receipted = times((job) => job.receiptedAtUnixMs);
    const proven = times((job) => job.provenAtUnixMs);
    const settled = times((job) => job.settledAtUnixMs);
    client.close();
    const perSecond = (jobs: number, ms: number): number => (jobs * 1000) / ms;
    const firstProof = Math.min(...proven);
    const later = proven.filter((time) => time > firstProof).length;
    return {
      latencies,
      receiptedPerSecond: perSecond(count, Math.max(...receipted) - startedAtMs),
      provedPerSecond: perSecond(later, Math.max(...proven) - firstProof),
      settledPerSecond: perSecond(count, Math.max(...settled) - startedAtMs),
    };
  } finally {
    await stack.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The 95th of a hundred. */
function late(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.95)] ?? 0;
}

function figuresOf(store: string, measured: Measured, beside: Measured | undefined): Figure[] {
  const rate = (name: string, pick: (of: Measured) => number): Figure =>
    summarise(`${name}, ${store}`, 'jobs/s', [pick(measured)], beside === undefined ? null : pick(beside), 'higher');
  return [
    rate('submitted to receipted, one lane', (of) => of.receiptedPerSecond),
    rate('proved, one thread', (of) => of.provedPerSecond),
    rate('submitted to settled, one lane', (of) => of.settledPerSecond),
    summarise(
      `sealed to opened, p50, ${store}`,
      'ms',
      measured.latencies,
      beside === undefined ? null : summarise('', '', beside.latencies).median,
    ),
    summarise(
      `sealed to opened, p95, ${store}`,
      'ms',
      [late(measured.latencies)],
      beside === undefined ? null : late(beside.latencies),
    ),
  ];
}

/** A PostgreSQL database to measure on; undefined where there is none. */
async function postgres(): Promise<{ database: string; drop(): Promise<void> } | undefined> {
  const engine = engines.find((one) => one.name === 'PostgreSQL');
  if (engine !== undefined) return engine.create();
  if (!hasServer()) return undefined;
  const cluster = await startCluster();
  return { database: cluster.url, drop: () => cluster.stop() };
}

/** Measures. */
export async function run(): Promise<Figure[]> {
  await ensureCircuit('settlement-16');
  const embedded = await measure(undefined);
  const figures = figuresOf('PGlite', embedded, undefined);
  const store = await postgres();
  if (store === undefined) {
    process.stderr.write('NOT MEASURED on PostgreSQL: STUN_TEST_POSTGRES_URL is not set and no server is installed\n');
    return figures;
  }
  try {
    return [...figures, ...figuresOf('PostgreSQL', await measure(store.database), embedded)];
  } finally {
    await store.drop();
  }
}
