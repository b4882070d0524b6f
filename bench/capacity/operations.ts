/** The operations that are measured: each is what a client, a worker or the service's own loops do, over HTTP where they do. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { SettlementBundleWire } from '#protocol/wire/settlement-bundle.ts';
import { sweep } from '#service/pipeline/sweeps.ts';
import type { RunningService } from '#service/service.ts';
import type { ApiClient, Answer } from '#test/integration/service/api-client.ts';
import { TestLane, type MadeJob, type MadeResult } from '#test/integration/service/lane.ts';
import { ROLE, type World, type WorldEnclave, type WorldOrder } from '#test/integration/service/world.ts';

/** A job with its answer, made before anything is timed. */
export interface Prepared {
  readonly job: MadeJob;
  readonly result: MadeResult;
}

/** A customer, a provider and an enclave of theirs in the store. */
export interface Party {
  readonly service: RunningService;
  readonly customer: ApiClient;
  readonly worker: ApiClient;
  readonly enclave: WorldEnclave;
  readonly order: WorldOrder;
}

/** Throws unless the answer has the status. */
export function expect(answer: Answer, wanted: number, what: string): Answer {
  if (answer.status !== wanted) {
    throw new StunError(
      'STUN_INTERNAL',
      `${what}: expected status ${wanted}, got ${answer.status} ${JSON.stringify(answer.json)}`,
    );
  }
  return answer;
}

/** Signs in, lists an enclave and announces an order. */
export async function createParty(world: World, service: RunningService): Promise<Party> {
  const customer = await world.client(service, ROLE.funder);
  const worker = await world.client(service, ROLE.provider);
  const enclave = await world.registerEnclave();
  expect(await worker.post('/v1/enclaves', enclave.listing), 201, 'listing');
  const order = await world.openOrder({ budget: 10n ** 15n });
  expect(await customer.post('/v1/orders', order.announcement), 201, 'announcing');
  return { service, customer, worker, enclave, order };
}

/** Makes the jobs of one lane with their answers, and the bundle of the segment. */
export async function prepareLane(
  party: Party,
  laneIndex: number,
  jobs: number,
): Promise<{ readonly lane: readonly Prepared[]; readonly bundle: SettlementBundleWire }> {
  const lane = new TestLane(party.order, party.enclave, laneIndex);
  const made: Prepared[] = [];
  for (let i = 0; i < jobs; i++) {
    const job = await lane.next();
    made.push({ job, result: await lane.serve(job.header, job.envelope) });
  }
  return { lane: made, bundle: lane.closeSegment() };
}

/** Submits a job. */
export async function submit(party: Party, { job }: Prepared): Promise<void> {
  expect(await party.customer.frame('/v1/jobs', job.wire, job.envelope), 201, 'submitting');
}

/** A job in the worker's hands. */
export interface Leased {
  readonly leaseId: string;
  readonly jobId: string;
}

/** Leases the next job; undefined when there is none. */
export async function lease(party: Party): Promise<Leased | undefined> {
  const { keysetDigest } = party.enclave;
  const leased = await party.worker.post('/v1/worker/leases', { keysetDigest, waitMs: 0 });
  return leased.status === 204 ? undefined : (expect(leased, 200, 'leasing').json as Leased);
}

/** Completes a leased job. */
export async function complete(party: Party, { leaseId }: Leased, { record, sealed }: MadeResult): Promise<void> {
  expect(await party.worker.frame(`/v1/worker/leases/${leaseId}/complete`, { record }, sealed), 200, 'completing');
}

/** Hands a segment over. */
export async function handOver(party: Party, bundle: SettlementBundleWire): Promise<void> {
  expect(await party.worker.post('/v1/worker/segments', { bundle }), 201, 'handing a segment over');
}

/** The operations that only read, and the sweeps, by name. */
export function reading(
  party: Party,
  jobId: string,
  model: string,
  deepCursor: string,
): ReadonlyMap<string, () => Promise<unknown>> {
  const { customer, service, order } = party;
  const services = service.services;
  if (services === undefined) throw new StunError('STUN_INTERNAL', 'a service without a store');
  const get = (path: string) => async () => expect(await customer.get(path), 200, path);
  return new Map<string, () => Promise<unknown>>([
    ['status of a job', get(`/v1/jobs/${jobId}`)],
    ['result of a job', get(`/v1/jobs/${jobId}/result`)],
    ['jobs of an account, first page', get('/v1/jobs')],
    ['an order with its counts', get(`/v1/orders/${order.orderKey}`)],
    ['enclaves, first page', get('/v1/enclaves')],
    ['enclaves of a model, first page', get(`/v1/enclaves?modelId=${model}`)],
    ['enclaves, a page in the middle', get(`/v1/enclaves?cursor=${deepCursor}`)],
    ['metrics', get('/metrics')],
    ['a sweep', () => sweep(services)],
  ]);
}
