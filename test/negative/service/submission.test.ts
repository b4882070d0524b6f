/** What bad input gets: each test changes one thing of a request that is otherwise taken, and expects one code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  eddsaToWire,
  fieldToHex,
  generateEddsaKeyPair,
  MAX_PRICE,
  randomField,
  receiptHashOf,
  receiptRecordFromWire,
  signEip712,
  signStatement,
  type JobHeader,
} from '#protocol/index.ts';
import type { RunningService } from '#service/service.ts';
import { assertProblem, ApiClient } from '#test/integration/service/api-client.ts';
import { TestLane, type MadeJob } from '#test/integration/service/lane.ts';
import { DAY, policyText, ROLE, World, type WorldEnclave, type WorldOrder } from '#test/integration/service/world.ts';

describe('service: refused requests', function () {
  this.timeout(60_000);
  let world: World;
  let service: RunningService;
  let customer: ApiClient;
  let worker: ApiClient;
  let enclave: WorldEnclave;
  /** Another enclave of the provider. */
  let second: WorldEnclave;
  let order: WorldOrder;
  let lanes = 0;
  /** How far the clock of the service is ahead. */
  let skipMs = 0;

  before(async () => {
    world = await World.create();
    service = await world.startService({ maxOpenJobsPerAccount: 3 }, { nowMs: () => Date.now() + skipMs });
    customer = await world.client(service, ROLE.funder);
    worker = await world.client(service, ROLE.provider);
    enclave = await world.registerEnclave();
    second = await world.registerEnclave();
    order = await world.openOrder();
    assert.equal((await worker.post('/v1/enclaves', enclave.listing)).status, 201);
    assert.equal((await customer.post('/v1/orders', order.announcement)).status, 201);
  });

  after(() => world.close());

  const lane = (to = enclave, of = order): TestLane => new TestLane(of, to, lanes++);
  const submit = (job: MadeJob, by = customer) => by.frame('/v1/jobs', job.wire, job.envelope);
  const listSecond = async () => assert.ok((await worker.post('/v1/enclaves', second.listing)).status < 300);
  const lease = () => worker.post('/v1/worker/leases', { keysetDigest: enclave.keysetDigest, waitMs: 0 });

  describe('listings', () => {
    const cases: readonly (readonly [string, string, (listing: Record<string, unknown>) => Promise<Record<string, unknown>>])[] =
      [
        ['a leaf index that is not the one on chain', 'STUN_ENCLAVE_LISTING', async (good) => ({ ...good, leafIndex: 7 })],
        ['another hardware hash', 'STUN_ENCLAVE_LISTING', async (good) => ({ ...good, hardwareIdHash: fieldToHex(5n) })],
        [
          'another expiry',
          'STUN_ENCLAVE_LISTING',
          async (good) => ({ ...good, leafExpiresAtUnix: enclave.leaf.expiresAtUnix - 1 }),
        ],
        [
          'a policy that refuses simulated hardware',
          'STUN_POLICY_SIMULATED',
          async (good) => ({ ...good, policy: { ...(JSON.parse(policyText) as object), allowSimulated: false } }),
        ],
        [
          'evidence over a nonce of nobody',
          'STUN_EVIDENCE_NONCE',
          async (good) => ({
            ...good,
            evidence: new TextDecoder().decode(
              enclave.machine.evidence(Buffer.from(enclave.keysetDigest.slice(2), 'hex'), new Uint8Array(32).fill(1)),
            ),
          }),
        ],
        [
          'the evidence of another enclave',
          'STUN_REPORT_DATA',
          async (good) => ({ ...good, evidence: second.listing['evidence'] }),
        ],
      ];
    for (const [what, code, change] of cases) {
      it(`with ${what}`, async () => assertProblem(await worker.post('/v1/enclaves', await change(enclave.listing)), code));
    }

    it('with a price of 2^63, 2^64 and one more, and taken with one below 2^63', async () => {
      const listing = enclave.listing as unknown as { models: object[] };
      const at = (price: bigint) =>
        worker.post('/v1/enclaves', { ...listing, models: [{ ...listing.models[0], price: price.toString() }] });
      for (const price of [2n ** 63n, 2n ** 64n, 2n ** 64n + 1n]) assertProblem(await at(price), 'STUN_INPUT', 400);
      assert.equal((await at(MAX_PRICE)).status, 200);
      assert.equal((await worker.post('/v1/enclaves', listing)).status, 200);
    });

    it('by another account', async () => {
      assertProblem(await customer.post('/v1/enclaves', enclave.listing), 'STUN_ACCESS', 403);
    });

    it('of an enclave that is retired', async () => {
      const old = await world.registerEnclave();
      await world.as(ROLE.provider).registry.retire(old.keysetDigest);
      assertProblem(await worker.post('/v1/enclaves', old.listing), 'STUN_ENCLAVE_NOT_LIVE', 409);
    });
  });

  describe('orders', () => {
    it('of another chain', async () => {
      const place = { ...(order.announcement['place'] as object), chainId: '1' };
      assertProblem(await customer.post('/v1/orders', { ...order.announcement, place }), 'STUN_ORDER_PLACE', 422);
    });

    it('that the chain does not know', async () => {
      assertProblem(
        await customer.post('/v1/orders', { ...order.announcement, orderId: fieldToHex(randomField()) }),
        'STUN_ORDER_UNKNOWN',
        404,
      );
    });

    it('with other terms than those on chain', async () => {
      const terms = { ...(order.announcement['terms'] as object), segmentLength: 15 };
      assertProblem(await customer.post('/v1/orders', { ...order.announcement, terms }), 'STUN_ORDER_DOMAIN', 422);
    });

    it('that were not announced', async () => {
      const silent = await world.openOrder();
      assertProblem(await customer.get(`/v1/orders/${silent.orderKey}`), 'STUN_NOT_FOUND', 404);
      assertProblem(await submit(await lane(enclave, silent).next()), 'STUN_ORDER_UNKNOWN', 404);
    });
  });

  describe('jobs', () => {
    it('signed by another key', async () => {
      const made = await lane().peek();
      const other = await lane().peek({ signature: made.header.signature });
      assertProblem(await submit(other), 'STUN_SIGNATURE', 422);
    });

    it('with a key of small order', async () => {
      const made = await lane().peek();
      const wire = { ...made.wire, demandKey: { x: fieldToHex(0n), y: fieldToHex(1n) } };
      assertProblem(await customer.frame('/v1/jobs', wire, made.envelope), 'STUN_KEY_SMALL_ORDER', 422);
    });

    it('that skip a number', async () => {
      assertProblem(await submit(await lane().peek({ k: 2, previousHead: randomField() })), 'STUN_LANE_INDEX', 422);
    });

    it('on a head that is not the genesis', async () => {
      assertProblem(await submit(await lane().peek({ previousHead: randomField() })), 'STUN_LANE_HEAD', 409);
    });

    it('signed for another lane', async () => {
      const [a, b] = [lane(), lane()];
      for (const each of [a, b]) assert.equal((await submit(await each.next())).status, 201);
      const ofLaneB = async (change: Partial<JobHeader> = {}) => {
        const { wire, envelope } = await a.peek(change);
        return customer.frame('/v1/jobs', { ...wire, laneIndex: b.laneIndex }, envelope);
      };
      assertProblem(await ofLaneB(), 'STUN_LANE_HEAD', 409);
      assertProblem(await ofLaneB({ k: 3 }), 'STUN_LANE_INDEX', 422);
      const { wire, envelope } = await lane().peek();
      const elsewhere = { ...wire, laneIndex: lane().laneIndex };
      assertProblem(await customer.frame('/v1/jobs', elsewhere, envelope), 'STUN_LANE_HEAD', 409);
      await finish();
    });

    it('of an order whose deadline has passed', async () => {
      const short = await world.openOrder({ deadlineSeconds: 60 });
      assert.equal((await customer.post('/v1/orders', short.announcement)).status, 201);
      const of = lane(enclave, short);
      assert.equal((await submit(await of.next())).status, 201);
      await finish();
      skipMs = 200_000;
      try {
        assertProblem(await submit(await lane(enclave, short).next()), 'STUN_ORDER_CLOSED', 409);
      } finally {
        skipMs = 0;
      }
    });

    it('of an order without a budget for the provider', async () => {
      const empty = await world.openOrder({ provider: ROLE.operator });
      assert.equal((await customer.post('/v1/orders', empty.announcement)).status, 201);
      assertProblem(await submit(await lane(enclave, empty).next()), 'STUN_BUDGET', 402);
    });

    it('at a price of 2^63, 2^64 and one more', async () => {
      const made = await lane().peek();
      for (const price of [2n ** 63n, 2n ** 64n, 2n ** 64n + 1n]) {
        const wire = { ...made.wire, maxPrice: price.toString() };
        assertProblem(await customer.frame('/v1/jobs', wire, made.envelope), 'STUN_PRICE_CAP', 422);
      }
    });

    it('at the highest price, which the budget does not cover', async () => {
      assertProblem(await submit(await lane().peek({ maxPrice: MAX_PRICE })), 'STUN_BUDGET', 402);
    });

    it('below every price of the enclave', async () => {
      assertProblem(await submit(await lane().peek({ maxPrice: 699n })), 'STUN_PRICE_CAP', 422);
    });

    it('above what the budget covers', async () => {
      assertProblem(await submit(await lane().peek({ maxPrice: 10n ** 9n })), 'STUN_BUDGET', 402);
    });

    it('for an enclave that is not listed', async () => {
      assertProblem(await submit(await lane(await world.registerEnclave()).peek()), 'STUN_ENCLAVE_UNKNOWN', 404);
    });

    it('with a truncated envelope', async () => {
      const made = await lane().peek();
      assertProblem(await customer.frame('/v1/jobs', made.wire, made.envelope.subarray(0, -1)), 'STUN_ENVELOPE_LAYOUT', 422);
    });

    it('beyond the quota of the account', async () => {
      const full = lane();
      for (let i = 0; i < 3; i++) assert.equal((await submit(await full.next())).status, 201);
      assertProblem(await submit(await full.next()), 'STUN_QUOTA', 429);
      const leased = await lease();
      const body = { code: 'STUN_MODEL_MISMATCH', reason: 'x' };
      assert.equal((await worker.post(`/v1/worker/leases/${leased.json.leaseId as string}/decline`, body)).json.voided, 3);
    });

    it('of an order whose enclave another lane named', async () => {
      const first = lane();
      assert.equal((await submit(await first.next())).status, 201);
      await listSecond();
      assertProblem(await submit(await first.peek({ signerId: second.signerId })), 'STUN_DEMAND_ENCLAVE', 409);
      await finish();
    });
  });

  describe('completions', () => {
    async function leased(): Promise<{ made: MadeJob; of: TestLane; path: string }> {
      const of = lane();
      const made = await of.next();
      assert.equal((await submit(made)).status, 201);
      return { made, of, path: `/v1/worker/leases/${(await lease()).json.leaseId as string}/complete` };
    }
    const complete = (path: string, record: unknown, sealed: Uint8Array) => worker.frame(path, { record }, sealed);

    it('of a worker that lies about what it sealed', async () => {
      const { made, of, path } = await leased();
      const { record, sealed } = await of.serve(made.header, made.envelope, 'served', { deliveryDigest: randomField() });
      assertProblem(await complete(path, record, sealed), 'STUN_RECEIPT_MISMATCH', 422);
      await finish();
    });

    it('at more than the demand allows', async () => {
      const { made, of, path } = await leased();
      const { record, sealed } = await of.serve(made.header, made.envelope, 'served', { price: 1001n });
      assertProblem(await complete(path, record, sealed), 'STUN_PRICE_CAP', 422);
      await finish();
    });

    it('at a price of 2^63, 2^64 and one more', async () => {
      const { made, of, path } = await leased();
      const { record, sealed } = await of.serve(made.header, made.envelope);
      for (const price of [2n ** 63n, 2n ** 64n, 2n ** 64n + 1n]) {
        const receipt = { ...record.receipt, price: price.toString() };
        assertProblem(await complete(path, { ...record, receipt }, sealed), 'STUN_RANGE', 400);
      }
      await finish();
    });

    it('with a statement over other receipts', async () => {
      const { made, of, path } = await leased();
      await of.serve(made.header, made.envelope);
      const { record, sealed } = await of.serve(made.header, made.envelope);
      assertProblem(await complete(path, record, sealed), 'STUN_STATEMENT_MISMATCH', 422);
      await finish();
    });

    it('of a receipt that was changed after it was signed', async () => {
      const { made, of, path } = await leased();
      const { record, sealed } = await of.serve(made.header, made.envelope);
      const receipt = { ...record.receipt, finishedAtUnix: record.receipt.finishedAtUnix + 1 };
      assertProblem(await complete(path, { ...record, receipt }, sealed), 'STUN_SIGNATURE', 422);
      await finish();
    });

    it('by another enclave of the provider, which gets no job of the lane and whose signatures do not move it', async () => {
      await listSecond();
      const of = lane();
      const made = await of.next();
      assert.equal((await submit(made)).status, 201);
      const taken = await worker.post('/v1/worker/leases', { keysetDigest: second.keysetDigest, waitMs: 0 });
      assert.equal(taken.status, 204);
      const path = `/v1/worker/leases/${(await lease()).json.leaseId as string}/complete`;
      const { record, sealed } = await of.serve(made.header, made.envelope);
      const { receipt, statement } = receiptRecordFromWire(record);
      const domain = { chainId: order.place.chainId, verifyingContract: order.place.escrow };
      const receiptSignature = signEip712(second.secpSecret, 'Receipt', domain, { receipt: receiptHashOf(receipt) });
      const statementSignature = eddsaToWire(signStatement(second.receiptKey, statement));
      assertProblem(await complete(path, { ...record, receiptSignature }, sealed), 'STUN_SIGNATURE', 422);
      assertProblem(await complete(path, { ...record, statementSignature }, sealed), 'STUN_SIGNATURE', 422);
      assert.equal((await complete(path, record, sealed)).status, 200);
    });
  });

  describe('segments', () => {
    it('of another provider, of jobs without receipts, and with other content', async () => {
      const of = lane();
      const made = await of.next();
      await submit(made);
      const leased = await lease();
      const { record, sealed } = await of.serve(made.header, made.envelope);
      const bundle = of.closeSegment();
      assertProblem(await worker.post('/v1/worker/segments', { bundle }), 'STUN_SEGMENT', 422);
      assertProblem(await customer.post('/v1/worker/segments', { bundle }), 'STUN_ACCESS', 403);
      const path = `/v1/worker/leases/${leased.json.leaseId as string}/complete`;
      assert.equal((await worker.frame(path, { record }, sealed)).status, 200);
      assert.equal((await worker.post('/v1/worker/segments', { bundle })).status, 201);
      const other = { ...bundle, leafExpiresAtUnix: bundle.leafExpiresAtUnix - 1 };
      assertProblem(await worker.post('/v1/worker/segments', { bundle: other }), 'STUN_SEGMENT_CONFLICT', 409);
    });
  });

  describe('attestations', () => {
    let attestor: RunningService;
    let client: ApiClient;

    before(async () => {
      attestor = await world.startService({
        role: 'attestor',
        attestorKey: world.account(ROLE.attestors[0]).privateKey,
        attestorPolicies: [join(world.directory, 'policy.json')],
      });
      client = new ApiClient(attestor.url);
    });

    const request = () => ({
      keyset: enclave.listing['keyset'],
      evidence: enclave.listing['evidence'],
      policy: JSON.parse(readFileSync(join(world.directory, 'policy.json'), 'utf8')) as object,
      expiresAtUnix: enclave.leaf.expiresAtUnix,
    });

    it('are given for what is right, over exactly what the registry stores', async () => {
      const answer = await client.post('/v1/attestations', request());
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      assert.equal(answer.json.attestor, world.account(ROLE.attestors[0]).address);
      assert.equal(answer.json.approval.keysetDigest, enclave.keysetDigest);
      assert.equal(answer.json.approval.hardwareIdHash, enclave.listing['hardwareIdHash']);
      assert.equal(answer.json.simulated, true);
    });

    it('under a policy of no list are refused', async () => {
      const policy = { ...request().policy, allowSimulated: false };
      assertProblem(await client.post('/v1/attestations', { ...request(), policy }), 'STUN_ATTESTOR_POLICY', 403);
    });

    it('for a leaf that outlives its keyset are refused', async () => {
      const expiresAtUnix = enclave.keyset.expiresAtUnix + DAY;
      assertProblem(await client.post('/v1/attestations', { ...request(), expiresAtUnix }), 'STUN_ENCLAVE_LISTING', 422);
    });

    it('with a consent that the provider did not sign are refused', async () => {
      const consent = { nonce: '1', deadlineUnix: 2 ** 33, signature: `0x${'11'.repeat(64)}1b` };
      assertProblem(await client.post('/v1/attestations', { ...request(), consent }), 'STUN_REGISTER_CONSENT', 403);
    });

    it('need no account, and nothing else is served there', async () => {
      assert.equal((await client.get('/readyz')).status, 200);
      assertProblem(await client.get('/v1/jobs'), 'STUN_ROUTE_UNKNOWN', 404);
    });
  });

  /** Declines whatever is leased, so that the next test starts with idle lanes. */
  async function finish(): Promise<void> {
    const { sql } = service.services!.db;
    for (;;) {
      const active = await sql.selectFrom('lease').select('lease_id').where('state', '=', 'active').execute();
      for (const { lease_id: id } of active) {
        await worker.post(`/v1/worker/leases/${id}/decline`, { code: 'STUN_MODEL_MISMATCH', reason: 'end of test' });
      }
      if ((await lease()).status === 204) return;
    }
  }

  describe('strangers', () => {
    it('may announce a public order, but get nothing of it', async () => {
      const stranger = await world.client(service, ROLE.stranger);
      assert.equal((await stranger.post('/v1/orders', order.announcement)).status, 200);
      assert.deepEqual((await stranger.get(`/v1/orders/${order.orderKey}`)).json.jobs, {});
      assert.deepEqual((await stranger.get(`/v1/orders/${order.orderKey}/audit`)).json.jobs, []);
      const other = new TestLane(order, enclave, 0, generateEddsaKeyPair());
      assert.equal((await submit(await other.next(), stranger)).status, 201);
    });
  });
});
