/**
 * Jobs per second through the service's interface: submit, lease, complete, over HTTP, with real signatures and receipts, on each store.
 * PostgreSQL is measured when `STUN_TEST_POSTGRES_URL` is set. Making the demands and receipts is not timed: it is done elsewhere.
 */
import { ApiClient } from '#test/integration/service/api-client.ts';
import { engines } from '#test/integration/service/engines.ts';
import { TestLane, type MadeJob, type MadeResult } from '#test/integration/service/lane.ts';
import { ROLE, World } from '#test/integration/service/world.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { summarise, type Figure } from './figure.ts';

const LANES = 8;
const JOBS_PER_LANE = 12;
const RUNS = 3;

interface Prepared {
  readonly job: MadeJob;
  readonly result: MadeResult;
}

function expect(status: number, wanted: number, what: string): void {
  if (status !== wanted) throw new StunError('STUN_INTERNAL', `${what}: expected status ${wanted}, got ${status}`);
}

/** Measures. */
export async function run(): Promise<Figure[]> {
  const figures: Figure[] = [];
  let baseline: number | null = null;
  for (const engine of engines) {
    const world = await World.create(engine);
    try {
      const limits = { accountRequestsPerMinute: 10_000_000, addressRequestsPerMinute: 10_000_000 };
      const service = await world.startService(limits);
      const customer = await world.client(service, ROLE.funder);
      const worker = await world.client(service, ROLE.provider);
      const enclave = await world.registerEnclave();
      expect((await worker.post('/v1/enclaves', enclave.listing)).status, 201, 'listing');
      const order = await world.openOrder({ budget: 10n ** 15n });
      expect((await customer.post('/v1/orders', order.announcement)).status, 201, 'announcing');
      const rates: Record<'submit' | 'serve', number[]> = { submit: [], serve: [] };
      for (let i = 0; i < RUNS; i++) {
        const lanes = await Promise.all(
          Array.from({ length: LANES }, async (_, index) => prepare(new TestLane(order, enclave, i * LANES + index))),
        );
        const results = new Map(lanes.flat().map(({ job, result }) => [job.jobId, result]));
        const submitted = performance.now();
        await Promise.all(lanes.map((lane) => submitLane(customer, lane)));
        rates.submit.push((LANES * JOBS_PER_LANE * 1000) / (performance.now() - submitted));
        const served = performance.now();
        await Promise.all(Array.from({ length: 4 }, () => serveAll(worker, enclave.keysetDigest, results)));
        rates.serve.push((LANES * JOBS_PER_LANE * 1000) / (performance.now() - served));
      }
      const whole = rates.submit.map((rate, i) => 1 / (1 / rate + 1 / rates.serve[i]!));
      for (const [name, samples] of [
        ['submit', rates.submit],
        ['lease and complete', rates.serve],
        ['submit, lease and complete', whole],
      ] as const) {
        const figure = summarise(
          `${name}, ${engine.name}`,
          'jobs/s',
          samples,
          name.startsWith('submit,') ? baseline : null,
          'higher',
        );
        figures.push(figure);
        if (name.startsWith('submit,')) baseline ??= figure.median;
      }
    } finally {
      await world.close();
    }
  }
  return figures;
}

async function prepare(lane: TestLane): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (let i = 0; i < JOBS_PER_LANE; i++) {
    const job = await lane.next();
    prepared.push({ job, result: await lane.serve(job.header, job.envelope) });
  }
  return prepared;
}

async function submitLane(customer: ApiClient, lane: readonly Prepared[]): Promise<void> {
  for (const { job } of lane) expect((await customer.frame('/v1/jobs', job.wire, job.envelope)).status, 201, 'submitting');
}

async function serveAll(worker: ApiClient, keysetDigest: string, results: ReadonlyMap<string, MadeResult>): Promise<void> {
  for (;;) {
    const leased = await worker.post('/v1/worker/leases', { keysetDigest, waitMs: 0 });
    if (leased.status === 204) return;
    const { leaseId, jobId } = leased.json as { leaseId: string; jobId: string };
    await worker.get(`/v1/worker/leases/${leaseId}/payload`);
    const result = results.get(jobId)!;
    const done = await worker.frame(`/v1/worker/leases/${leaseId}/complete`, { record: result.record }, result.sealed);
    expect(done.status, 200, 'completing');
  }
}
