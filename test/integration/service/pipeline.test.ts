/** From a closed segment to a settlement on chain, with a real prover, a real verifier contract and a real transaction. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { fieldFromHex, receiptHashOf, receiptRecordFromWire, RECEIPTS_TREE, rootFromPath, fieldToHex } from '#protocol/index.ts';
import { createSettlementProver } from '#prover/pool.ts';
import type { SettlementProver } from '#prover/interface.ts';
import { proveAgain } from '#service/pipeline/settle.ts';
import { sweep } from '#service/pipeline/sweeps.ts';
import type { RunningService } from '#service/service.ts';
import { assertProblem, type ApiClient, type StreamedEvent } from './api-client.ts';
import { engines } from './engines.ts';
import { TestLane, type MadeJob } from './lane.ts';
import { PRICE, ROLE, World, type WorldEnclave, type WorldOrder } from './world.ts';

describe('service: segments, proofs, settlement', function () {
  this.timeout(600_000);
  let world: World;
  let prover: SettlementProver;
  let service: RunningService;
  let customer: ApiClient;
  let worker: ApiClient;
  let enclave: WorldEnclave;
  let order: WorldOrder;
  let settledFirst: { segmentId: string; snapshot: unknown; firstTransaction: string | undefined };

  before(async () => {
    world = await World.create(engines.at(-1));
    prover = await createSettlementProver({
      threads: 1,
      circuits: ['settlement-16'],
      queueLimit: 16,
      taskTimeoutMs: 500_000,
      memoryLimitMb: 2048,
      backend: 'auto',
    });
    service = await world.startService({}, { prover });
    customer = await world.client(service, ROLE.funder);
    worker = await world.client(service, ROLE.provider);
    enclave = await world.registerEnclave();
    assert.equal((await worker.post('/v1/enclaves', enclave.listing)).status, 201);
    order = await world.openOrder();
    assert.equal((await customer.post('/v1/orders', order.announcement)).status, 201);
  });

  after(() => world.close());

  /** Serves `count` jobs of a fresh lane. */
  async function serve(lane: TestLane, count: number): Promise<MadeJob[]> {
    const jobs: MadeJob[] = [];
    for (let i = 0; i < count; i++) {
      const job = await lane.next();
      assert.equal((await customer.frame('/v1/jobs', job.wire, job.envelope)).status, 201);
      const leased = await worker.post('/v1/worker/leases', { keysetDigest: enclave.keysetDigest, waitMs: 0 });
      assert.equal(leased.json.jobId, job.jobId);
      const made = await lane.serve(job.header, job.envelope, i === 1 ? 'failed' : 'served');
      const path = `/v1/worker/leases/${leased.json.leaseId as string}/complete`;
      assert.equal((await worker.frame(path, { record: made.record }, made.sealed)).status, 200);
      jobs.push(job);
    }
    return jobs;
  }

  async function segmentIn(state: string, segmentId: string): Promise<Record<string, string>> {
    for (let i = 0; i < 5000; i++) {
      const segment = (await worker.get(`/v1/segments/${segmentId}`)).json;
      if (segment.state === state) return segment as Record<string, string>;
      assert.notEqual(segment.state, 'failed', JSON.stringify(segment));
      await delay(100);
    }
    throw new Error(`the segment is not ${state}`);
  }

  it('proves a segment, settles it on chain and opens each receipt under the settled root', async () => {
    const lane = new TestLane(order, enclave, 0);
    const jobs = await serve(lane, 3);
    const bundle = lane.closeSegment();
    const snapshot = await world.chain.request('evm_snapshot');
    const taken = await worker.post('/v1/worker/segments', { bundle });
    assert.equal(taken.status, 201, JSON.stringify(taken.json));
    const again = await worker.post('/v1/worker/segments', { bundle });
    assert.deepEqual([again.status, again.json.segmentId], [200, taken.json.segmentId]);
    const segment = await segmentIn('settled', taken.json.segmentId as string);
    settledFirst = { segmentId: taken.json.segmentId as string, snapshot, firstTransaction: segment['transactionHash'] };
    // Two served jobs at the model's price, ten token units each, less one per cent.
    const gross = 2n * PRICE * 10n;
    assert.equal(segment['credited'], (gross - gross / 100n).toString());
    assert.equal(
      await world.as(ROLE.provider).escrow.credit(order.place.token, world.account(ROLE.provider).address),
      gross - gross / 100n,
    );
    const settlements = (await customer.get(`/v1/orders/${order.orderKey}/settlements`)).json.items;
    assert.equal(settlements.at(-1).transactionHash, segment['transactionHash']);
    for (const job of jobs) {
      assert.equal((await customer.get(`/v1/jobs/${job.jobId}`)).json.state, 'settled');
      const receipt = (await customer.get(`/v1/jobs/${job.jobId}/receipt`)).json;
      const hash = receiptHashOf(receiptRecordFromWire(receipt.record).receipt);
      const { index, path, receiptsRoot, txHash } = receipt.settlement;
      const siblings = (path as string[]).map((sibling) => fieldFromHex(sibling));
      assert.equal(fieldToHex(rootFromPath(RECEIPTS_TREE, hash, { index, siblings })), receiptsRoot);
      assert.equal(txHash, segment['transactionHash']);
    }
    const events = await customer.events(`/v1/jobs/${jobs[0]!.jobId}/events`, () => false, '0');
    assert.deepEqual(
      events.map((event) => event.data.state),
      ['queued', 'leased', 'receipted', 'batched', 'proven', 'settled'],
    );
    const audit = (await customer.get(`/v1/orders/${order.orderKey}/audit`)).json;
    assert.equal(audit.jobs.length, 3);
    assert.equal(audit.segments[0].transactionHash, segment['transactionHash']);
  });

  it('verifies a proof for anybody, and refuses one with a signal changed', async () => {
    const { sql } = service.services!.db;
    const row = await sql.selectFrom('segment').select(['segment_id']).where('proof', 'is not', null).executeTakeFirstOrThrow();
    const { proof } = (await worker.get(`/v1/segments/${row.segment_id}`)).json;
    const anybody = await customer.post('/v1/proofs/verify', proof);
    assert.deepEqual([anybody.status, anybody.json.valid], [200, true]);
    assert.equal(anybody.json.signals.orderId, fieldToHex(order.orderId));
    const signals = [...(proof.signals as string[])];
    signals[6] = fieldToHex(fieldFromHex(signals[6]!) + 1n);
    assertProblem(await customer.post('/v1/proofs/verify', { ...proof, signals }), 'STUN_PROOF_INVALID', 422);
    assert.equal(
      (await customer.get(`/v1/segments/${row.segment_id}`)).json.proof,
      undefined,
      'only the provider gets the proof',
    );
  });

  it('takes a settlement back when its block leaves the chain, and settles again', async () => {
    const { segmentId, snapshot, firstTransaction } = settledFirst;
    await world.chain.request('evm_revert', [snapshot]);
    for (let i = 0; i < 3; i++) await world.chain.request('evm_mine');
    const statesOf = (events: readonly StreamedEvent[]): string[] =>
      events.filter((event) => event.data.segmentId === segmentId).map((event) => event.data.state);
    const events = await customer.events(
      `/v1/orders/${order.orderKey}/events`,
      (seen) => statesOf(seen).filter((state) => state === 'settled').length === 2,
    );
    assert.deepEqual(statesOf(events), ['batched', 'proven', 'settled', 'proven', 'settled']);
    const again = await segmentIn('settled', segmentId);
    assert.equal(typeof firstTransaction, 'string');
    const head = await world.as(ROLE.provider).escrow.lane(order.orderKey, enclave.leaf.provider, 0);
    assert.equal(fieldToHex(head), again['laneNew']);
  });

  it('settles the segments of a lane in their order, and proves again when the root of a proof is dead', async () => {
    const lane = new TestLane(order, enclave, 1);
    await serve(lane, 1);
    const first = lane.closeSegment();
    await serve(lane, 1);
    const second = lane.closeSegment();
    const later = (await worker.post('/v1/worker/segments', { bundle: second })).json.segmentId as string;
    await segmentIn('proven', later);
    // A root that no tree ever had: what a proof looks like after its root died. It waits for the earlier segment.
    const { sql } = service.services!.db;
    const { proof } = await sql.selectFrom('segment').select('proof').where('segment_id', '=', later).executeTakeFirstOrThrow();
    const changed = JSON.parse(proof!) as { signals: string[] };
    changed.signals[0] = fieldToHex(7n);
    await sql
      .updateTable('segment')
      .set({ proof: JSON.stringify(changed) })
      .where('segment_id', '=', later)
      .execute();
    const earlier = (await worker.post('/v1/worker/segments', { bundle: first })).json.segmentId as string;
    assert.equal(Number((await segmentIn('settled', earlier))['proofsMade']), 1);
    assert.equal(Number((await segmentIn('settled', later))['proofsMade']), 2);
  });

  it('keeps the proof of a segment through a freeze, hands nothing to the sender, and settles with it afterwards', async () => {
    const lane = new TestLane(order, enclave, 2);
    await serve(lane, 1);
    const { router } = world.as(ROLE.guardian);
    await router.freeze(order.terms.settlementFamily, 86_400);
    const taken = await worker.post('/v1/worker/segments', { bundle: lane.closeSegment() });
    const segmentId = taken.json.segmentId as string;
    const proven = await segmentIn('proven', segmentId);
    await world.chain.increaseTime(8 * 3600);
    const { sql } = service.services!.db;
    // The wait of the first try is over, and so another one has looked.
    await delay(2500);
    assert.deepEqual((await segmentIn('proven', segmentId))['proof'], proven['proof']);
    const intents = sql.selectFrom('sender_intent').select('key').where('key', 'like', `settle/${segmentId}/%`);
    assert.deepEqual(await intents.execute(), []);
    await router.unfreeze(order.terms.settlementFamily);
    const settled = await segmentIn('settled', segmentId);
    assert.deepEqual([settled['proofsMade'], settled['proof']], [1, proven['proof']]);
    assert.equal((await intents.execute()).length, 1);
  });

  it('gives a segment up when too many of its proofs were of no use', async () => {
    const { sql } = service.services!.db;
    const row = await sql.selectFrom('segment').selectAll().where('state', '=', 'settled').limit(1).executeTakeFirstOrThrow();
    const { segment_id: segmentId } = row;
    await sql.updateTable('segment').set({ state: 'proven', proofs_made: 10 }).where('segment_id', '=', segmentId).execute();
    await proveAgain(service.services!, { ...row, proofs_made: 10 }, 'test');
    const after_ = await sql.selectFrom('segment').selectAll().where('segment_id', '=', segmentId).executeTakeFirstOrThrow();
    assert.deepEqual([after_.state, after_.code], ['failed', 'STUN_SEGMENT_FAILED']);
  });

  it('gives up a segment whose enclave was revoked; its jobs are refunded with the order', async () => {
    const doomed = await world.registerEnclave();
    assert.equal((await worker.post('/v1/enclaves', doomed.listing)).status, 201);
    const short = await world.openOrder({ deadlineSeconds: 3600 });
    assert.equal((await customer.post('/v1/orders', short.announcement)).status, 201);
    const lane = new TestLane(short, doomed, 0);
    const job = await lane.next();
    assert.equal((await customer.frame('/v1/jobs', job.wire, job.envelope)).status, 201);
    const leased = await worker.post('/v1/worker/leases', { keysetDigest: doomed.keysetDigest, waitMs: 0 });
    const made = await lane.serve(job.header, job.envelope);
    await worker.frame(`/v1/worker/leases/${leased.json.leaseId as string}/complete`, { record: made.record }, made.sealed);
    await world.as(ROLE.provider).registry.revoke(doomed.keysetDigest);
    const taken = await worker.post('/v1/worker/segments', { bundle: lane.closeSegment() });
    for (let i = 0; i < 300; i++) {
      const segment = (await worker.get(`/v1/segments/${taken.json.segmentId as string}`)).json;
      if (segment.state === 'failed') {
        assert.equal(segment.code, 'STUN_ENCLAVE_NOT_LIVE');
        break;
      }
      assert.ok(i < 299, JSON.stringify(segment));
      await delay(100);
    }
    const running = await lane.next();
    assert.equal((await customer.frame('/v1/jobs', running.wire, running.envelope)).status, 201);
    const held = await worker.post('/v1/worker/leases', { keysetDigest: doomed.keysetDigest, waitMs: 0 });
    const late = await lane.serve(running.header, running.envelope);
    const queued = await lane.next();
    assert.equal((await customer.frame('/v1/jobs', queued.wire, queued.envelope)).status, 201);
    const expired = await new TestLane(short, doomed, 1).next();
    assert.equal((await customer.frame('/v1/jobs', expired.wire, expired.envelope)).status, 201);
    const { sql } = service.services!.db;
    await sql.updateTable('orders').set({ deadline_unix: 1 }).where('order_key', '=', short.orderKey).execute();
    await sweep(service.services!);
    assert.equal((await customer.get(`/v1/jobs/${expired.jobId}`)).json.state, 'expired');
    await world.chain.increaseTime(3 * 86_400);
    await world.as(ROLE.funder).escrow.refund(short.orderId, [enclave.leaf.provider]);
    const events = await customer.events(`/v1/jobs/${job.jobId}/events`, () => false, '0');
    assert.equal(events.at(-1)!.data.state, 'refunded');
    const ends = [];
    for (const { jobId } of [job, running, queued, expired]) {
      const { state, code, outcome } = (await customer.get(`/v1/jobs/${jobId}`)).json;
      ends.push([state, code, outcome]);
    }
    const unserved = ['refunded', 'STUN_JOB_EXPIRED', undefined];
    assert.deepEqual(ends, [['refunded', 'STUN_JOB_REFUNDED', 'served'], unserved, unserved, unserved]);
    const path = `/v1/worker/leases/${held.json.leaseId as string}/complete`;
    assertProblem(await worker.frame(path, { record: late.record }, late.sealed), 'STUN_JOB_REFUNDED', 409);
  });
});
