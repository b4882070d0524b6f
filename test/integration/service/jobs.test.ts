/** Jobs over HTTP: from an announced order to a receipt, in the order of the lane. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { jobHeaderFromWire, openResult, decodeResultData, utf8 } from '#protocol/index.ts';
import { submitJob } from '#service/jobs/submit.ts';
import { Wake } from '#service/jobs/wake.ts';
import type { RunningService } from '#service/service.ts';
import { assertProblem, type ApiClient } from './api-client.ts';
import { testedEngines } from './engines.ts';
import { TestLane, type MadeJob } from './lane.ts';
import { ROLE, World, type WorldEnclave, type WorldOrder } from './world.ts';

for (const engine of testedEngines()) {
  engine.describe(`service: jobs, on ${engine.name}`, function () {
    this.timeout(60_000);
    let world: World;
    let service: RunningService;
    let customer: ApiClient;
    let worker: ApiClient;
    let stranger: ApiClient;
    let enclave: WorldEnclave;
    let order: WorldOrder;
    let lanes = 0;

    before(async () => {
      world = await World.create(engine);
      service = await world.startService();
      customer = await world.client(service, ROLE.funder);
      worker = await world.client(service, ROLE.provider);
      stranger = await world.client(service, ROLE.stranger);
      enclave = await world.registerEnclave();
      const listed = await worker.post('/v1/enclaves', enclave.listing);
      assert.equal(listed.status, 201, JSON.stringify(listed.json));
      order = await world.openOrder();
      assert.equal((await customer.post('/v1/orders', order.announcement)).status, 201);
    });

    after(() => world.close());

    const freshLane = (): TestLane => new TestLane(order, enclave, lanes++);
    const submit = (job: MadeJob, by = customer) => by.frame('/v1/jobs', job.wire, job.envelope);
    const lease = (waitMs = 0) => worker.post('/v1/worker/leases', { keysetDigest: enclave.keysetDigest, waitMs });

    it('takes an order that is on chain, and the same again', async () => {
      const again = await customer.post('/v1/orders', order.announcement);
      assert.equal(again.status, 200);
      assert.equal(again.json.orderKey, order.orderKey);
      const shown = await customer.get(`/v1/orders/${order.orderKey}`);
      assert.equal(shown.json.place.funder, order.place.funder);
    });

    it('carries a job from submission to a receipt and an opened result', async () => {
      const lane = freshLane();
      assert.equal(
        (await customer.put(`/v1/orders/${order.orderKey}/openings/${enclave.keysetDigest}`, await lane.opening())).status,
        204,
      );
      const job = await lane.next({}, utf8('what is the rate?'));
      const submitted = await submit(job);
      assert.deepEqual(
        [submitted.status, submitted.json],
        [201, { jobId: job.jobId, state: 'queued' }],
        JSON.stringify(submitted.json),
      );
      const leased = await lease();
      assert.equal(leased.status, 200);
      assert.equal(leased.json.jobId, job.jobId);
      assert.equal(leased.json.openingAvailable, true);
      const { leaseId } = leased.json;
      const payload = await worker.get(`/v1/worker/leases/${leaseId}/payload`);
      assert.deepEqual(payload.bytes, new Uint8Array(job.envelope));
      assert.equal((await worker.get(`/v1/worker/openings/${order.orderKey}/${enclave.keysetDigest}`)).status, 200);
      assert.equal((await worker.post(`/v1/worker/leases/${leaseId}/heartbeat`, { state: 'running' })).status, 200);
      assert.equal((await customer.get(`/v1/jobs/${job.jobId}`)).json.state, 'running');
      assertProblem(await customer.get(`/v1/jobs/${job.jobId}/result`), 'STUN_JOB_STATE', 409);
      const made = await lane.serve(jobHeaderFromWire(leased.json.header), payload.bytes);
      const done = await worker.frame(`/v1/worker/leases/${leaseId}/complete`, { record: made.record }, made.sealed);
      assert.deepEqual([done.status, done.json], [200, { jobId: job.jobId, state: 'receipted' }], JSON.stringify(done.json));
      const again = await worker.frame(`/v1/worker/leases/${leaseId}/complete`, { record: made.record }, made.sealed);
      assert.equal(again.status, 200);
      const result = await customer.get(`/v1/jobs/${job.jobId}/result`);
      const opened = decodeResultData(await openResult(job.resultSecret, BigInt(job.jobId), result.bytes));
      assert.equal(new TextDecoder().decode(opened.payload), 'answer to what is the rate?');
      const receipt = await customer.get(`/v1/jobs/${job.jobId}/receipt`);
      assert.deepEqual(receipt.json.record, made.record);
      const view = (await customer.get(`/v1/jobs/${job.jobId}`)).json;
      assert.deepEqual([view.state, view.outcome, view.price], ['receipted', 'served', '700']);
    });

    it('leases the jobs of a lane one at a time and in order', async () => {
      const lane = freshLane();
      const jobs = [await lane.next(), await lane.next(), await lane.next()];
      for (const job of jobs) assert.equal((await submit(job)).status, 201);
      for (const job of jobs) {
        const leased = await lease();
        assert.equal(leased.json.jobId, job.jobId);
        assert.equal((await lease()).status, 204, 'a second job of the lane was leased');
        const made = await lane.serve(job.header, job.envelope);
        const path = `/v1/worker/leases/${leased.json.leaseId}/complete`;
        assert.equal((await worker.frame(path, { record: made.record }, made.sealed)).status, 200);
      }
    });

    it('gives the same job for the same bytes, and a conflict for others', async () => {
      const lane = freshLane();
      const job = await lane.next();
      assert.equal((await submit(job)).status, 201);
      const again = await submit(job);
      assert.deepEqual([again.status, again.json.jobId], [200, job.jobId]);
      const other = new Uint8Array(job.envelope);
      other[other.length - 1]! ^= 1;
      assertProblem(await customer.frame('/v1/jobs', job.wire, other), 'STUN_JOB_CONFLICT', 409);
      assert.equal((await stranger.post('/v1/orders', order.announcement)).status, 200);
      assertProblem(await submit(job, stranger), 'STUN_JOB_CONFLICT', 409);
      await drain(lane);
    });

    it('wakes a waiting worker when a job comes', async () => {
      const lane = freshLane();
      const waiting = lease(10_000);
      const job = await lane.next();
      const started = Date.now();
      await submit(job);
      const leased = await waiting;
      assert.equal(leased.json.jobId, job.jobId);
      assert.ok(Date.now() - started < 9000, 'the poll waited for its end');
      await decline(leased.json.leaseId);
    });

    it('wakes a waiting worker when a job comes through another process', async () => {
      const job = await freshLane().next();
      const waiting = lease(15_000);
      // The poll has found nothing and waits by then. A wake of its own makes the submission that of another process.
      await delay(1000);
      const services = { ...service.services!, wake: new Wake() };
      const started = Date.now();
      await submitJob(services, world.account(ROLE.funder).address, job.wire, job.envelope);
      const leased = await waiting;
      assert.equal(leased.json?.jobId, job.jobId);
      assert.ok(Date.now() - started < 12_000, 'the poll waited for its end');
      await decline(leased.json.leaseId);
    });

    it('voids a declined job and what waits behind it, and closes the lane', async () => {
      const lane = freshLane();
      const [first, second] = [await lane.next(), await lane.next()];
      await submit(first);
      await submit(second);
      const leased = await lease();
      const declined = await worker.post(`/v1/worker/leases/${leased.json.leaseId}/decline`, {
        code: 'STUN_PRICE_CAP',
        reason: 'the cap is below the price',
      });
      assert.deepEqual([declined.status, declined.json.voided], [200, 2]);
      const views = await Promise.all([first, second].map(async (job) => (await customer.get(`/v1/jobs/${job.jobId}`)).json));
      assert.deepEqual(
        views.map((view) => [view.state, view.code]),
        [
          ['void', 'STUN_PRICE_CAP'],
          ['void', 'STUN_LANE_CLOSED'],
        ],
      );
      assertProblem(await submit(await lane.next()), 'STUN_LANE_CLOSED', 409);
    });

    it('lets nobody but customer, funder and provider see a job', async () => {
      const lane = freshLane();
      const job = await lane.next();
      await submit(job);
      for (const path of ['', '/result', '/receipt', '/events']) {
        assertProblem(await stranger.get(`/v1/jobs/${job.jobId}${path}`), 'STUN_NOT_FOUND', 404);
      }
      assertProblem(await stranger.delete(`/v1/jobs/${job.jobId}/data`), 'STUN_NOT_FOUND', 404);
      assertProblem(
        await stranger.post('/v1/worker/leases', { keysetDigest: enclave.keysetDigest, waitMs: 0 }),
        'STUN_ACCESS',
        403,
      );
      const leased = await lease();
      assertProblem(await stranger.get(`/v1/worker/leases/${leased.json.leaseId}/payload`), 'STUN_LEASE', 409);
      await decline(leased.json.leaseId);
    });

    it("keeps a stranger's lane of the same number apart from the customer's", async () => {
      const { generateEddsaKeyPair } = await import('#protocol/index.ts');
      const index = lanes++;
      const foreign = new TestLane(order, enclave, index, generateEddsaKeyPair());
      const own = new TestLane(order, enclave, index);
      assert.equal((await submit(await foreign.next(), stranger)).status, 201);
      const mine = await submit(await own.next());
      assert.equal(mine.status, 201, JSON.stringify(mine.json));
      for (let i = 0; i < 2; i++) await decline((await lease()).json.leaseId);
    });

    it("gives a worker the opening that the leased job's sender left, not a later one of a stranger", async () => {
      const { generateEddsaKeyPair } = await import('#protocol/index.ts');
      const other = await world.openOrder();
      for (const by of [customer, stranger]) assert.ok((await by.post('/v1/orders', other.announcement)).status < 300);
      const own = new TestLane(other, enclave, 0);
      const foreign = new TestLane(other, enclave, 0, generateEddsaKeyPair());
      const path = `/v1/orders/${other.orderKey}/openings/${enclave.keysetDigest}`;
      const opening = await own.opening();
      const falseOne = await foreign.opening();
      assert.equal((await customer.put(path, opening)).status, 204);
      assert.equal((await stranger.put(path, falseOne)).status, 204);
      const jobs = new Map([
        [(await submit(await own.next())).json.jobId, opening],
        [(await submit(await foreign.next(), stranger)).json.jobId, falseOne],
      ]);
      const leases = [await lease(), await lease()].map((one) => one.json as { leaseId: string; jobId: string });
      for (const { leaseId, jobId } of leases) {
        const got = await worker.get(`/v1/worker/openings/${other.orderKey}/${enclave.keysetDigest}?leaseId=${leaseId}`);
        assert.equal(got.status, 200, JSON.stringify(got.json));
        assert.deepEqual(got.bytes, new Uint8Array(jobs.get(jobId)!));
      }
      for (const { leaseId } of leases) await decline(leaseId);
    });

    it('lists the jobs of an account page by page, each once', async () => {
      const seen: string[] = [];
      let cursor = '';
      for (;;) {
        const page = await customer.get(`/v1/jobs?limit=3${cursor}`);
        assert.equal(page.status, 200);
        assert.ok(page.json.items.length <= 3);
        seen.push(...(page.json.items as { jobId: string }[]).map((job) => job.jobId));
        if (page.json.nextCursor === undefined) break;
        cursor = `&cursor=${page.json.nextCursor as string}`;
      }
      assert.equal(new Set(seen).size, seen.length);
      assert.ok(seen.length > 6, `${seen.length} jobs`);
      assertProblem(await customer.get('/v1/jobs?cursor=bm90IGEgY3Vyc29y'), 'STUN_CURSOR', 400);
    });

    it('streams events with numbers and resumes after the last one seen', async () => {
      const lane = freshLane();
      const job = await lane.next();
      await submit(job);
      const leased = await lease();
      await decline(leased.json.leaseId);
      const all = await customer.events(`/v1/jobs/${job.jobId}/events`, () => false, '0');
      assert.deepEqual(
        all.map((event) => event.data.state),
        ['queued', 'leased', 'void'],
      );
      const rest = await customer.events(`/v1/jobs/${job.jobId}/events`, () => false, all[0]!.id);
      assert.deepEqual(rest, all.slice(1));
      const now = await customer.events(`/v1/jobs/${job.jobId}/events`, () => false);
      assert.deepEqual(now, all.slice(2));
      const whole = await customer.events(
        `/v1/orders/${order.orderKey}/events`,
        (events) => events.at(-1)?.id === all.at(-1)!.id,
      );
      assert.deepEqual(
        whole.map((event) => Number(event.id)),
        whole.map((_, i) => i + 1),
        'the numbers of an order have no gaps',
      );
    });

    async function decline(leaseId: string): Promise<void> {
      const body = { code: 'STUN_MODEL_MISMATCH', reason: 'not served here' };
      assert.equal((await worker.post(`/v1/worker/leases/${leaseId}/decline`, body)).status, 200);
    }

    async function drain(lane: TestLane): Promise<void> {
      const leased = await lease();
      if (leased.status === 200) await decline(leased.json.leaseId as string);
      assert.ok(lane.laneIndex >= 0);
    }
  });
}
