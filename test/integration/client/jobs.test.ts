import assert from 'node:assert/strict';
import { decodeTensors, encodeTensors, type NamedTensor } from '#protocol/index.ts';
import {
  closeOrder,
  fetchResult,
  orderState,
  receiptFileOf,
  refundOrder,
  resubmitJobs,
  resumeJobs,
  submitJobs,
  topUpOrder,
  verifyReceiptFile,
  type ClientConnection,
  type OrderRecord,
} from '#client/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { DAY, PRICE, startClientStage, type ClientStage, type StageEnclave } from './stage.ts';

const now = { timeoutMs: 0 };

function input(seed: number): Uint8Array {
  const data = new Uint8Array(Float32Array.of(seed, seed + 1).buffer);
  const tensor: NamedTensor = { name: 'x', dtype: 'float32', dims: [1, 2], data };
  return encodeTensors([tensor]);
}

describe('client, from order to receipt', function () {
  this.timeout(120_000);
  let stage: ClientStage;
  let client: ClientConnection;
  let order: OrderRecord;
  let enclave: StageEnclave;

  before(async () => {
    stage = await startClientStage();
  });
  beforeEach(async () => {
    stage.service.reset();
    enclave = await stage.addEnclave();
    client = await stage.connect();
    order = await stage.openOrder(client);
  });
  afterEach(() => client.close());
  after(() => stage.close());

  it('submits on one lane, opens verified results and keeps receipt files that verify offline', async () => {
    const payloads = [input(1), input(2), input(3)].map((payload) => ({ payload, maxPrice: 900n }));
    const sent = await submitJobs(client, order, payloads);
    assert.deepEqual(
      sent.map((job) => [job.laneIndex, job.k, job.keysetDigest, job.simulated]),
      [1, 2, 3].map((k) => [0, k, enclave.keysetDigest, true]),
    );
    for (const [i, { jobId }] of sent.entries()) {
      const result = await fetchResult(client, jobId, now);
      assert.equal(result.checked.status, 'served');
      assert.equal(result.outcome.record.receipt.price, PRICE);
      assert.equal(result.checked.statementRecomputed, true);
      assert.deepEqual(result.tensors[0]?.data, decodeTensors(input(i + 1))[0]?.data);
      const verified = verifyReceiptFile(JSON.parse(JSON.stringify(receiptFileOf(result))), [stage.pki.root]);
      assert.equal(verified.jobId, jobId);
      assert.equal(verified.simulated, true);
      assert.deepEqual(verified.inputPayload, input(i + 1));
    }
  });

  it('serves a stored result again without the service', async () => {
    const [sent] = await submitJobs(client, order, [{ payload: input(1), maxPrice: 900n }]);
    assert.ok(sent);
    const first = await fetchResult(client, sent.jobId, now);
    stage.service.jobs.delete(sent.jobId);
    const again = await fetchResult(client, sent.jobId, now);
    assert.deepEqual(again.checked, first.checked);
  });

  it('resends the identical bytes after the connection broke, once the service is back', async () => {
    stage.service.lies = { hangUp: 'before' };
    await rejectsCode(submitJobs(client, order, [{ payload: input(1), maxPrice: 900n }]), 'STUN_SERVICE_UNREACHABLE');
    const before = stage.service.received.map(({ bytes }) => bytes);
    assert.ok(before.length >= 2, 'it tried more than once');
    stage.service.lies = {};
    const { sent, locked } = await resumeJobs(client, order);
    assert.equal(sent.length, 1);
    assert.deepEqual(locked, []);
    for (const bytes of before) assert.deepEqual(bytes, stage.service.received.at(-1)?.bytes);
    assert.equal((await resumeJobs(client, order)).sent.length, 0);
    assert.equal((await fetchResult(client, sent[0]!.jobId, now)).checked.status, 'served');
  });

  it('gets the one job when only the answer was lost', async () => {
    stage.service.lies = { hangUp: 'after' };
    await rejectsCode(submitJobs(client, order, [{ payload: input(1), maxPrice: 900n }]), 'STUN_SERVICE_UNREACHABLE');
    stage.service.lies = {};
    assert.equal((await resumeJobs(client, order)).sent.length, 0);
    assert.equal(new Set(stage.service.received.map(({ jobId }) => jobId)).size, 1);
  });

  it('says that a job is pending, and waits for it when told to', async () => {
    stage.service.serving = false;
    const [sent] = await submitJobs(client, order, [{ payload: input(1), maxPrice: 900n }]);
    assert.ok(sent);
    await rejectsCode(fetchResult(client, sent.jobId, now), 'STUN_JOB_PENDING');
    const interrupt = new AbortController();
    const onState = (): void => void setImmediate(() => interrupt.abort());
    await assert.rejects(fetchResult(client, sent.jobId, { timeoutMs: 20_000, signal: interrupt.signal, onState }), {
      code: 'STUN_JOB_PENDING',
      message: 'the wait was interrupted, the job is queued',
    });
    const states: string[] = [];
    const waited = fetchResult(client, sent.jobId, { timeoutMs: 20_000, onState: (state) => states.push(state) });
    setTimeout(() => void stage.service.serveAll(), 300);
    assert.equal((await waited).checked.status, 'served');
    assert.deepEqual(states, ['queued', 'receipted']);
  });

  it('sends voided jobs again on a new lane to a successor, once, with the same payloads', async () => {
    stage.service.serving = false;
    const payloads = [input(1), input(2)].map((payload) => ({ payload, maxPrice: 900n }));
    const sent = await submitJobs(client, order, payloads);
    stage.service.lose(enclave);
    // What was never served ends without a receipt with its order, too.
    Object.assign(stage.service.jobs.get(sent[1]!.jobId)!, { state: 'refunded' });
    await rejectsCode(fetchResult(client, sent[0]!.jobId, now), 'STUN_JOB_VOIDED');
    await rejectsCode(fetchResult(client, sent[1]!.jobId, now), 'STUN_JOB_VOIDED');
    stage.service.serving = true;
    const successor = await stage.addEnclave();
    const again = await resubmitJobs(client, order);
    assert.deepEqual(
      again.map(({ replaces, cause, submitted }) => [replaces, cause, submitted.laneIndex, submitted.k, submitted.keysetDigest]),
      sent.map((job, i) => [job.jobId, 'STUN_ENCLAVE_GONE', 1, i + 1, successor.keysetDigest]),
    );
    assert.deepEqual(await resubmitJobs(client, order), []);
    for (const [i, { submitted }] of again.entries()) {
      const result = await fetchResult(client, submitted.jobId, now);
      assert.deepEqual(result.job.payload, input(i + 1));
      assert.equal(result.job.replaces, sent[i]?.jobId);
    }
  });

  it('opens a failed job with the reason of the enclave and a price of 0', async () => {
    stage.service.lies = { fails: true };
    const [sent] = await submitJobs(client, order, [{ payload: input(1), maxPrice: 900n }]);
    const result = await fetchResult(client, sent!.jobId, now);
    assert.equal(result.checked.status, 'failed');
    assert.equal(result.checked.failure, 'STUN_TENSOR_LAYOUT');
    assert.equal(result.outcome.record.receipt.price, 0n);
  });

  it('works over many payload sizes', async () => {
    for (const size of [0, 1, 5000, 3 << 20]) {
      const tensor = { name: 'x', dtype: 'uint8', dims: [size], data: new Uint8Array(size).fill(7) } as const;
      const [sent] = await submitJobs(client, order, [{ payload: encodeTensors([tensor]), maxPrice: 900n }]);
      const result = await fetchResult(client, sent!.jobId, now);
      assert.deepEqual(result.tensors[0]?.data, tensor.data);
    }
  });

  it('opens, tops up, closes and refunds an order, and every unit comes back', async () => {
    const funder = stage.chain.accounts[4]!.address;
    const before = await client.provider.getBalance(funder);
    await topUpOrder(client, order, stage.provider, 5n);
    order = await client.store.orders.read(order.orderKey);
    const late = stage.chain.accounts[6]!.address;
    await diesAtUpdate(client, 2, () => topUpOrder(client, order, late, 7n));
    order = await client.store.orders.read(order.orderKey);
    assert.equal((await orderState(client, order)).budgets[0]?.funded, 10n ** 18n + 5n);
    await rejectsCode(refundOrder(client, order), 'STUN_ORDER_NOT_REFUNDABLE');
    await closeOrder(client, order);
    await stage.chain.increaseTime(3 * DAY);
    const done = await refundOrder(client, order);
    assert.deepEqual(
      new Map(done.refunds.map(({ provider, amount }) => [provider, amount])),
      new Map([
        [stage.provider as string, 10n ** 18n + 5n],
        [late, 7n],
      ]),
    );
    assert.ok((await client.provider.getBalance(funder)) > before, 'the budget came back');
    assert.equal((await orderState(client, order)).refunded, 10n ** 18n + 12n);
    await rejectsCode(refundOrder(client, order), 'STUN_NOTHING_DUE');
  });

  it('refuses an empty submission', async () => {
    await rejectsCode(submitJobs(client, order, []), 'STUN_INPUT');
  });
});

/** Runs what stores the order more than once, and has the process die before the n-th time. */
async function diesAtUpdate(client: ClientConnection, n: number, run: () => Promise<unknown>): Promise<void> {
  const { orders } = client.store;
  const update = orders.update.bind(orders);
  let count = 0;
  orders.update = (record) => (++count === n ? Promise.reject(new Error('killed')) : update(record));
  await assert.rejects(run(), /killed/).finally(() => (orders.update = update));
}
