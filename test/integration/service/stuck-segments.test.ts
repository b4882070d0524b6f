/** Segments that nothing moves by itself: their settlement left the chain unseen, their task is gone, the stake is too low, the leaf expired. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { sql, type Selectable } from 'kysely';
import {
  fieldToHex,
  orderDomainOf,
  orderIdOf,
  packPayee,
  SETTLEMENT_SIGNALS,
  settlementBundleFromWire,
} from '#protocol/index.ts';
import type { SettlementProofTask } from '#prover/interface.ts';
import type { Tables } from '#service/db/schema.ts';
import { proofTaskOf } from '#service/pipeline/prove.ts';
import type { TaskQueue } from '#service/pipeline/queue.ts';
import { followSegments, sendSegment } from '#service/pipeline/settle.ts';
import type { ChainView, SettlementSender } from '#service/ports.ts';
import type { Services } from '#service/services.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import type { ApiClient } from './api-client.ts';
import { TestLane } from './lane.ts';
import { DAY, ROLE, World, type WorldEnclave, type WorldOrder } from './world.ts';

/** What the sender says of a transaction that was final under its policy. */
const sender: SettlementSender = {
  submit: () => Promise.reject(new Error('nothing is submitted here')),
  answer: () => Promise.reject(new Error('nothing is answered here')),
  finalise: () => Promise.reject(new Error('nothing is finalised here')),
  outcome: () => Promise.resolve({ state: 'done' }),
  assertSending: () => undefined,
  close: () => Promise.resolve(),
};

describe('service: segments that nothing moves', function () {
  this.timeout(60_000);
  let world: World;
  let services: Services;
  let customer: ApiClient;
  let worker: ApiClient;
  let enclave: WorldEnclave;
  let order: WorldOrder;

  before(async () => {
    world = await World.create();
    const service = await world.startService({ role: 'all', operatorKey: undefined });
    services = service.services!;
    customer = await world.client(service, ROLE.funder);
    worker = await world.client(service, ROLE.provider);
    enclave = await world.registerEnclave();
    assert.equal((await worker.post('/v1/enclaves', enclave.listing)).status, 201);
    order = await world.openOrder();
    assert.equal((await customer.post('/v1/orders', order.announcement)).status, 201);
  });
  after(() => world.close());

  /** A segment that was proven and handed to the sender. */
  async function sentSegment(laneIndex: number, change: { lane_old?: string } = {}): Promise<string> {
    const lane = new TestLane(order, enclave, laneIndex);
    const job = await lane.next();
    assert.equal((await customer.frame('/v1/jobs', job.wire, job.envelope)).status, 201);
    const leased = await worker.post('/v1/worker/leases', { keysetDigest: enclave.keysetDigest, waitMs: 0 });
    const made = await lane.serve(job.header, job.envelope);
    await worker.frame(`/v1/worker/leases/${leased.json.leaseId as string}/complete`, { record: made.record }, made.sealed);
    const taken = await worker.post('/v1/worker/segments', { bundle: lane.closeSegment() });
    assert.equal(taken.status, 201, JSON.stringify(taken.json));
    const segmentId = taken.json.segmentId as string;
    const sent = { state: 'proven', sent_key: `settle/${segmentId}/0`, ...change } as const;
    await services.db.sql.updateTable('segment').set(sent).where('segment_id', '=', segmentId).execute();
    return segmentId;
  }

  const sendsOf = async (segmentId: string): Promise<readonly [number, string | null]> => {
    const query = services.db.sql.selectFrom('segment').select(['sends', 'sent_key']).where('segment_id', '=', segmentId);
    const { sends, sent_key: sentKey } = await query.executeTakeFirstOrThrow();
    return [sends, sentKey];
  };

  it('are sent again, under another key, when their settlement left the chain unseen', async () => {
    const segmentId = await sentSegment(0);
    assert.equal(await followSegments(services, sender), 1);
    assert.deepEqual(await sendsOf(segmentId), [1, null]);
    assert.equal(await followSegments(services, sender), 0);
  });

  it('are not sent again while the lane on chain has moved: then they are there, and only not read yet', async () => {
    const segmentId = await sentSegment(1, { lane_old: fieldToHex(5n) });
    assert.equal(await followSegments(services, sender), 1);
    assert.deepEqual(await sendsOf(segmentId), [0, `settle/${segmentId}/0`]);
    await services.db.sql.deleteFrom('segment').where('segment_id', '=', segmentId).execute();
  });

  it('are sent again when the sender does not know of them', async () => {
    const segmentId = await sentSegment(2);
    assert.equal(await followSegments(services, { ...sender, outcome: () => Promise.resolve(undefined) }), 1);
    assert.deepEqual(await sendsOf(segmentId), [1, null]);
  });

  it('get another task when theirs is gone, and after twice the pause the next', async () => {
    const segmentId = await sentSegment(3);
    const { sql: db } = services.db;
    const row = db.selectFrom('segment').selectAll().where('segment_id', '=', segmentId);
    const back = { state: 'batched', sent_key: null, look_at_ms: 0 } as const;
    const lookedAt = async (): Promise<Selectable<Tables['segment']>> => {
      const startedMs = Date.now();
      await db.updateTable('segment').set(back).where('segment_id', '=', segmentId).execute();
      for (;;) {
        const segment = await row.executeTakeFirstOrThrow();
        if (segment.look_at_ms > 0) return { ...segment, look_at_ms: segment.look_at_ms - startedMs };
        await delay(50);
      }
    };
    const isAfter = (segment: { look_at_ms: number }, seconds: number): void =>
      assert.ok(segment.look_at_ms >= seconds * 1000 && segment.look_at_ms < 2 * seconds * 1000, String(segment.look_at_ms));
    const withTask = await lookedAt();
    assert.equal(withTask.lost_tasks, 0);
    isAfter(withTask, 600);
    await sql`delete from stun_queue.job where data->>'id' = ${segmentId}`.execute(db);
    const without = await lookedAt();
    assert.equal(without.lost_tasks, 1);
    isAfter(without, 1200);
    assert.ok((await services.queue.withTask([segmentId])).has(segmentId));
  });

  it('wait with their proof while the stake is too low, and are sent once it is there', async () => {
    const segmentId = await sentSegment(5);
    const terms = { ...order.terms, assurance: 1, slash: 500n };
    const opening = { ...order.opening, domain: orderDomainOf(order.place, terms) };
    const staked = { ...order, terms, opening, orderId: orderIdOf(opening) };
    const lane = new TestLane(staked, enclave, 5);
    const { header, envelope } = await lane.next();
    await lane.serve(header, envelope);
    const { timestampUnix } = await services.chain.newestBlock();
    const payee = packPayee({ provider: enclave.leaf.provider, validAtUnix: timestampUnix, laneIndex: 5 });
    const signals = SETTLEMENT_SIGNALS.map((name) => fieldToHex(name === 'payee' ? payee : 1n));
    const zero = fieldToHex(0n);
    const points = {
      a: [zero, zero],
      b: [
        [zero, zero],
        [zero, zero],
      ],
      c: [zero, zero],
    };
    const timings = { witnessMs: 0, proveMs: 0, verifyMs: 0 };
    const proof = JSON.stringify({ circuit: 'settlement-16', familyId: zero, ...points, signals, timings });
    const bundle = JSON.stringify(lane.closeSegment());
    const kept = { proof, bundle, total: '1', sent_key: null };
    await services.db.sql.updateTable('segment').set(kept).where('segment_id', '=', segmentId).execute();
    const waits: (number | undefined)[] = [];
    const sent: string[] = [];
    const attempt = async (stake: bigint): Promise<void> => {
      const chain: ChainView = { ...services.chain, availableStake: async () => stake, isLiveRoot: async () => true };
      const queue: TaskQueue = { ...services.queue, settle: async (_trx, _id, wait) => void waits.push(wait) };
      const submit: SettlementSender['submit'] = async ({ key }) => void sent.push(key);
      const task = { id: segmentId, retryCount: 0, waits: 3, signal: AbortSignal.timeout(60_000) };
      await sendSegment({ ...services, chain, queue }, { ...sender, submit }, task);
    };
    await attempt(499n);
    assert.deepEqual([waits, sent], [[3], []]);
    await attempt(500n);
    assert.deepEqual([waits, sent], [[3], [`settle/${segmentId}/0`]]);
  });

  it('are proven as of the last second of a leaf that expired in a freeze, and of no older one', async () => {
    const lane = new TestLane(order, enclave, 6);
    const { header, envelope } = await lane.next();
    await lane.serve(header, envelope);
    const wire = lane.closeSegment();
    const bundle = settlementBundleFromWire(wire);
    const { expiresAtUnix } = enclave.leaf;
    const at = (timestampUnix: number, frozen: number): Promise<SettlementProofTask> => {
      const newestBlock: ChainView['newestBlock'] = async () => ({ ...(await services.chain.newestBlock()), timestampUnix });
      return proofTaskOf({ ...services.chain, newestBlock, frozenSeconds: async () => frozen }, bundle, wire);
    };
    assert.equal((await at(expiresAtUnix - 2, 0)).validAtUnix, expiresAtUnix - 2);
    assert.equal((await at(expiresAtUnix + 9 * DAY, 9 * DAY)).validAtUnix, expiresAtUnix - 1);
    await rejectsCode(at(expiresAtUnix + 9 * DAY, 8 * DAY), 'STUN_ENCLAVE_NOT_LIVE');
  });

  it('are given up with the reason when their task is gone and their order closed', async () => {
    const segmentId = await sentSegment(4);
    const { sql: db } = services.db;
    await world.chain.increaseTime(9 * DAY);
    await sql`delete from stun_queue.job where data->>'id' = ${segmentId}`.execute(db);
    const due = { state: 'batched', sent_key: null, look_at_ms: 0 } as const;
    await db.updateTable('segment').set(due).where('segment_id', '=', segmentId).execute();
    const events = await customer.events(`/v1/orders/${order.orderKey}/events`, (seen) => seen.at(-1)?.data.state === 'failed');
    const { state, code } = (await worker.get(`/v1/segments/${segmentId}`)).json;
    assert.deepEqual([state, code, events.at(-1)?.data.segmentId], ['failed', 'STUN_ORDER_CLOSED', segmentId]);
  });
});
