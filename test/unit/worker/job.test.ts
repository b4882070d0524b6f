import assert from 'node:assert/strict';
import {
  decodeErrorPayload,
  decodeTensors,
  deliveryDigestOf,
  orderKeyOf,
  payloadCommitment,
  receiptRecordFromWire,
  settlementBundleFromWire,
  verifyReceiptRecord,
} from '#protocol/index.ts';
import type { Provider } from 'ethers';
import type { StunContracts } from '#chain/deployment.ts';
import { createChainView, type ChainView } from '#worker/chain-view.ts';
import type { ModelRunner } from '#worker/model/runner.ts';
import { noteSettlements, reservedOf } from '#worker/reservations.ts';
import { ESCROW, NOW } from '../protocol/fixtures.ts';
import { makeWorld, PRICE, vector, type World } from './fixtures.ts';
import { doubling, runnerOf } from './onnx-models.ts';

describe('worker job', () => {
  let runner: ModelRunner;
  let world: World;
  before(async () => {
    runner = await runnerOf(doubling());
  });
  beforeEach(async () => {
    world = await makeWorld(runner);
  });
  afterEach(() => world.close());
  after(() => runner.close());

  it('returns the sealed output with a receipt that the customer can check against its own bytes', async () => {
    const sent = await world.customer.next({ tensors: [vector([1, 2, 3])] });
    const outcome = await world.serve(sent);
    assert.equal(outcome.kind, 'receipted');
    const record = receiptRecordFromWire(outcome.record);
    verifyReceiptRecord(record, world.customer.keys.keyset, ESCROW);
    const result = await world.customer.openResult(sent, outcome.sealedResult);
    assert.deepEqual(decodeTensors(result.payload), [vector([2, 4, 6], 'y')]);
    assert.equal(result.outputBlinding, sent.outputBlinding);
    assert.equal(record.receipt.status, 'served');
    assert.equal(record.receipt.price, PRICE);
    assert.equal(record.receipt.demandHead, sent.head);
    assert.equal(record.receipt.outputCommitment, payloadCommitment(result.payload, sent.outputBlinding));
    assert.equal(record.receipt.deliveryDigest, deliveryDigestOf(outcome.sealedResult));
  });

  it('signs a failed job at price 0 and moves the lane on', async () => {
    const bad = await world.customer.next({ tensors: [vector([Number.NaN])] });
    const outcome = await world.serve(bad);
    assert.equal(outcome.kind, 'receipted');
    assert.equal(outcome.code, 'STUN_MODEL_INPUT_NOT_FINITE');
    const { receipt, statement } = receiptRecordFromWire(outcome.record);
    assert.deepEqual([receipt.status, receipt.price, statement.total], ['failed', 0n, 0n]);
    const result = await world.customer.openResult(bad, outcome.sealedResult);
    assert.equal(decodeErrorPayload(result.payload), 'STUN_MODEL_INPUT_NOT_FINITE');
    const good = await world.serve(await world.customer.next());
    assert.equal(good.kind, 'receipted');
    assert.equal(receiptRecordFromWire(good.record).statement.total, PRICE);
  });

  it('covers the whole segment with the newest statement, so that the stored bundle proves', async () => {
    for (let k = 1; k <= 5; k++) await world.serve(await world.customer.next());
    const [segment] = world.enclave.store.segments();
    const bundle = settlementBundleFromWire(world.enclave.store.bundleOf(segment!.id));
    assert.equal(bundle.jobs.length, 5);
    assert.equal(bundle.statement.total, 5n * PRICE);
    assert.equal(bundle.firstK, 1);
  });

  it('closes a segment after S jobs and starts the next where it ended', async () => {
    world.close();
    world = await makeWorld(runner, { terms: { segmentLength: 2 } });
    const closed: boolean[] = [];
    for (let k = 1; k <= 5; k++) {
      const outcome = await world.serve(await world.customer.next());
      closed.push(outcome.kind === 'receipted' && outcome.segmentClosed);
    }
    assert.deepEqual(closed, [false, true, false, true, false]);
    const { store } = world.enclave;
    assert.deepEqual(
      store.segments().map(({ firstK }) => firstK),
      [1, 3, 5],
    );
    assert.equal(store.unpushedSegments().length, 2);
    const bundles = store.segments().map(({ id }) => settlementBundleFromWire(store.bundleOf(id)));
    assert.equal(bundles[1]!.statement.fromHead, bundles[0]!.statement.toHead);
    assert.equal(bundles[2]!.statement.fromHead, bundles[1]!.statement.toHead);
  });

  it('starts a new segment after an early close and never reopens the old one', async () => {
    await world.serve(await world.customer.next());
    const lane = [...world.enclave.lanes.values()][0]!;
    world.enclave.store.closeSegment(lane.id.orderId, lane.id.provider, lane.id.laneIndex);
    lane.closeSegment();
    await world.serve(await world.customer.next());
    assert.deepEqual(
      world.enclave.store.segments().map(({ firstK }) => firstK),
      [1, 2],
    );
  });

  it('answers a repeated demand with the same stored bytes and signs nothing again', async () => {
    const sent = await world.customer.next();
    const first = await world.serve(sent);
    const second = await world.serve(sent);
    assert.ok(first.kind === 'receipted' && second.kind === 'receipted');
    assert.deepEqual(second.sealedResult, new Uint8Array(first.sealedResult));
    assert.deepEqual(second.record, first.record);
    assert.equal([...world.enclave.lanes.values()][0]!.view.k, 1);
  });

  it('answers a demand that is leased again while it runs with the one receipt, and declines neither', async () => {
    // Enough for this job alone: the second lease must not ask for the money once more.
    world.chain.order = { budgetLeft: 1000n * world.order.terms.priceScale };
    const sent = await world.customer.next();
    const outcomes = await Promise.all([world.serve(sent), world.serve(sent)]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.kind),
      ['receipted', 'receipted'],
    );
    const [first, second] = outcomes;
    assert.ok(first?.kind === 'receipted' && second?.kind === 'receipted');
    assert.deepEqual(second.record, first.record);
    assert.deepEqual(new Uint8Array(second.sealedResult), new Uint8Array(first.sealedResult));
    assert.equal(reservedOf(world.enclave, orderKeyOf(world.order.place.funder, world.order.orderId)), 1000n);
  });

  it('counts every unsettled maximum until the chain shows its segment as settled', async () => {
    const orderKey = orderKeyOf(world.order.place.funder, world.order.orderId);
    world.chain.order = { budgetLeft: 2500n * world.order.terms.priceScale };
    assert.equal((await world.serve(await world.customer.next())).kind, 'receipted');
    assert.equal((await world.serve(await world.customer.next())).kind, 'receipted');
    assert.equal(reservedOf(world.enclave, orderKey), 2000n);
    const third = await world.customer.next();
    const refused = await world.serve(third);
    assert.ok(refused.kind === 'declined' && refused.code === 'STUN_BUDGET');
    world.chain.laneHeads.set('0', [...world.enclave.lanes.values()][0]!.view.head);
    assert.equal((await world.serve(third)).kind, 'receipted');
    assert.equal(reservedOf(world.enclave, orderKey), 1000n);
    assert.equal(await noteSettlements(world.enclave), 0);
  });

  it('never holds a remembered budget against the reservation of after a settlement', async () => {
    const { terms } = world.order;
    let remaining = 2500n * terms.priceScale;
    const contracts = {
      escrow: {
        order: () => Promise.resolve({ domain: world.order.opening.domain, deadlineUnix: NOW + 3600 }),
        budget: () => Promise.resolve({ remaining, funded: remaining }),
        familyFor: () => Promise.resolve(terms.settlementFamily),
      },
      router: { isFamilyOpen: () => Promise.resolve(true) },
    } as unknown as StunContracts;
    const remembering = createChainView(contracts, {} as Provider, 60_000);
    Object.assign(world.enclave, { chain: { ...world.enclave.chain, order: remembering.order } });
    assert.equal((await world.serve(await world.customer.next())).kind, 'receipted');
    assert.equal((await world.serve(await world.customer.next())).kind, 'receipted');
    // Both settle: 1100 of 2500 are left, which is one more job of at most 1000 and not two.
    remaining -= 2n * PRICE * terms.priceScale;
    world.chain.laneHeads.set('0', [...world.enclave.lanes.values()][0]!.view.head);
    assert.equal((await world.serve(await world.customer.next())).kind, 'receipted');
    const second = await world.serve(await world.customer.next());
    assert.equal(second.kind === 'declined' && second.code, 'STUN_BUDGET');
  });

  it('reads the budget again when a settlement was noted while it was being read', async () => {
    const { terms } = world.order;
    world.chain.order = { budgetLeft: 2500n * terms.priceScale };
    for (let i = 0; i < 2; i++) assert.equal((await world.serve(await world.customer.next())).kind, 'receipted');
    const [segment] = world.enclave.store.segments();
    const { chain } = world.enclave;
    const order: ChainView['order'] = async (...asked) => {
      const before = await chain.order(...asked);
      if (asked[2] === 0) {
        world.chain.order = { budgetLeft: 900n * terms.priceScale };
        world.enclave.store.markSettled(segment!.id);
      }
      return before;
    };
    Object.assign(world.enclave, { chain: { ...chain, order } });
    const outcome = await world.serve(await world.customer.next({ laneIndex: 1 }));
    assert.equal(outcome.kind === 'declined' && outcome.code, 'STUN_BUDGET');
  });

  it('does not promise the same budget to two lanes at once', async () => {
    world.chain.order = { budgetLeft: 1500n * world.order.terms.priceScale };
    const sent = [await world.customer.next({ laneIndex: 0 }), await world.customer.next({ laneIndex: 1 })];
    const outcomes = await Promise.all(sent.map((one) => world.serve(one)));
    const codes = outcomes.map((outcome) => (outcome.kind === 'declined' ? outcome.code : outcome.kind)).toSorted();
    assert.deepEqual(codes, ['STUN_BUDGET', 'receipted']);
  });

  it('serves one of two demands that a service leases at once on the same lane, and signs nothing for the other', async () => {
    const first = await world.customer.next();
    const second = await world.customer.next({ k: 1, previousHead: first.header.previousHead });
    const outcomes = await Promise.all([world.serve(first), world.serve(second)]);
    const kinds = outcomes.map((outcome) => outcome.kind).toSorted();
    assert.deepEqual(kinds, ['declined', 'receipted']);
    assert.ok(outcomes.some((outcome) => outcome.kind === 'declined' && outcome.code === 'STUN_LANE_HEAD'));
    assert.equal(reservedOf(world.enclave, orderKeyOf(world.order.place.funder, world.order.orderId)), 1000n);
  });
});
