import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyEvidence } from '#attestation/index.ts';
import {
  fieldToHex,
  fromHex,
  keysetDigestOf,
  orderKeyOf,
  parseKeyset,
  receiptRecordFromWire,
  sealOpening,
  encodeOpening,
  signerIdOf,
  utf8,
  verifyReceiptRecord,
} from '#protocol/index.ts';
import { parseWorkerConfig } from '#worker/config.ts';
import { runWorker, type WorkerReady } from '#worker/main.ts';
import { readModelFile } from '#worker/model/manifest.ts';
import { WorkerStore } from '#worker/store.ts';
import { Customer, vector } from '../../unit/worker/fixtures.ts';
import { doubling, writeModel } from '../../unit/worker/onnx-models.ts';
import { rejectsCode } from '../../unit/assert-code.ts';
import type { TestOrder } from '../../unit/protocol/fixtures.ts';
import { startStage, type Stage } from './stage.ts';

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (await condition()) return;
    await sleep(20);
  }
  assert.fail(`${what} did not happen within 30 seconds`);
}

describe('a whole worker', function () {
  this.timeout(180_000);
  let stage: Stage;
  let model: { modelPath: string; manifestPath: string };
  let modelId: bigint;
  before(async () => {
    stage = await startStage();
    model = await writeModel(doubling());
    modelId = (await readModelFile(model.modelPath, model.manifestPath)).modelId;
  });
  after(() => stage.close());

  interface Running {
    readonly ready: WorkerReady;
    readonly stop: () => Promise<void>;
  }

  async function start(change: Record<string, unknown> = {}): Promise<Running> {
    const abort = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<WorkerReady>();
    const config = parseWorkerConfig({ ...stage.settings([model]), ...change });
    const ended = runWorker(config, { signal: abort.signal, onReady: resolve });
    ended.catch(reject);
    const ready = await promise;
    return {
      ready,
      stop: async () => {
        abort.abort();
        await ended;
      },
    };
  }

  /** The customer of an order, with the opening left for the listed enclave. */
  async function customerOf(order: TestOrder): Promise<Customer> {
    const listing = stage.service.listings.at(-1)!;
    const keysetBytes = fromHex(String(listing['keyset']));
    const keyset = parseKeyset(keysetBytes);
    const keys = { keyset, keysetBytes, keysetDigest: keysetDigestOf(keysetBytes), signerId: signerIdOf(keyset.receiptKey) };
    const binding = { orderId: order.orderId, provider: stage.provider, keysetDigest: keys.keysetDigest };
    const opening = await sealOpening(keyset.hpkePublicKey, binding, encodeOpening(order));
    stage.service.openings.set(orderKeyOf(order.place.funder, order.orderId), opening);
    return new Customer(order, keys as never, stage.provider);
  }

  it('attests, registers on chain, lists itself, serves sealed jobs and hands over the segment', async () => {
    const worker = await start({ segmentIdleMs: 500 });
    assert.equal(worker.ready.simulated, true);
    const listing = stage.service.listings.at(-1)!;
    const evidence = verifyEvidence(utf8(String(listing['evidence'])), {
      atUnix: Math.floor(Date.now() / 1000),
      roots: [stage.pki.root],
      policy: stage.policy,
      keysetDigest: fromHex(worker.ready.keysetDigest),
    });
    assert.equal(evidence.simulated, true);
    const order = await stage.openOrder(modelId);
    const leaf = await stage.contracts.registry.leaf(worker.ready.keysetDigest, order.opening.policyId);
    assert.equal(leaf.simulated, true);
    assert.notEqual(leaf.treeLeaf, 0n);

    const customer = await customerOf(order);
    const sent = [await customer.next({ tensors: [vector([1, 2])] }), await customer.next({ tensors: [vector([Number.NaN])] })];
    stage.service.queue.push(...sent.map((job) => ({ sent: job })));
    await until('the jobs', () => stage.service.completed.size === 2);
    const [first, second] = sent.map((job) => stage.service.completed.get(fieldToHex(job.head))!);
    const record = receiptRecordFromWire(first!.record);
    verifyReceiptRecord(record, customer.keys.keyset, stage.deployment.escrow);
    assert.equal(record.receipt.status, 'served');
    assert.equal(receiptRecordFromWire(second!.record).receipt.status, 'failed');
    await until('the segment', () => stage.service.bundles.length === 1);
    assert.equal(stage.service.bundles[0]!.jobs.length, 2);
    assert.equal(stage.service.bundles[0]!.statement.total, 700n);
    await worker.stop();
    assert.ok(stage.service.delisted.includes(worker.ready.keysetDigest));
  });

  it('finishes, closes its segments and hands them over when it is told to stop', async () => {
    const worker = await start();
    const customer = await customerOf(await stage.openOrder(modelId));
    const before = stage.service.bundles.length;
    stage.service.queue.push({ sent: await customer.next() });
    await until('the job', () => stage.service.queue.length === 0);
    assert.equal(stage.service.bundles.length, before, 'the segment is still open');
    await worker.stop();
    assert.equal(stage.service.bundles.length, before + 1);
  });

  it('closes a full segment, answers a quote request, and declines what is not payable', async () => {
    const worker = await start({ listen: { host: '127.0.0.1', port: 0 } });
    const order = await stage.openOrder(modelId, { segmentLength: 2, budget: 3000n * 10n ** 9n });
    const customer = await customerOf(order);
    const before = stage.service.bundles.length;
    stage.service.quoteNonce = `0x${'5a'.repeat(32)}`;
    for (let k = 1; k <= 3; k++) stage.service.queue.push({ sent: await customer.next() });
    const unpaid = await customer.next();
    stage.service.queue.push({ sent: unpaid });
    await until('the refusal', () => stage.service.declined.size === 1);
    assert.equal(stage.service.declined.get(fieldToHex(unpaid.head)), 'STUN_BUDGET');
    await until('the full segment', () => stage.service.bundles.length === before + 1);
    assert.equal(stage.service.bundles.at(-1)!.jobs.length, 2);
    assert.equal(stage.service.quotes.length, 1);
    const shown = verifyEvidence(utf8(stage.service.quotes[0]!), {
      atUnix: Math.floor(Date.now() / 1000),
      roots: [stage.pki.root],
      policy: stage.policy,
      keysetDigest: fromHex(worker.ready.keysetDigest),
    });
    assert.deepEqual(shown.nonce, fromHex(`0x${'5a'.repeat(32)}`));
    const metrics = await (await fetch(`${worker.ready.healthUrl}/metrics`)).text();
    await worker.stop();
    for (const line of [
      'stun_worker_jobs_total{result="served",code=""} 3',
      'stun_worker_jobs_total{result="declined",code="STUN_BUDGET"} 1',
      'stun_worker_job_seconds_count 3',
      'stun_worker_segments_total{result="pushed"} 1',
      'stun_worker_unreleased_results 0',
    ])
      assert.ok(metrics.includes(`\n${line}\n`), `${line} is not in ${metrics}`);
    assert.equal(stage.service.bundles.length, before + 2);
  });

  it('keeps a result while the service is down and releases it afterwards', async () => {
    const worker = await start({ segmentIdleMs: 200 });
    const customer = await customerOf(await stage.openOrder(modelId));
    const sent = await customer.next();
    stage.service.down = /complete|segments/;
    stage.service.queue.push({ sent });
    await sleep(1000);
    assert.ok(!stage.service.completed.has(fieldToHex(sent.head)));
    stage.service.down = undefined;
    await until('the release', () => stage.service.completed.has(fieldToHex(sent.head)));
    await worker.stop();
  });

  it('releases a result whose job the service gave up meanwhile, so that its segment can be handed over', async () => {
    const worker = await start({ segmentIdleMs: 200 });
    const customer = await customerOf(await stage.openOrder(modelId));
    const sent = await customer.next();
    const head = fieldToHex(sent.head);
    const before = stage.service.bundles.length;
    stage.service.refused.length = 0;
    stage.service.down = /complete|segments/;
    stage.service.queue.push({ sent });
    await until('the attempt to complete it', () => stage.service.refused.some((path) => path.endsWith('/complete')));
    // No lease brings it again.
    stage.service.queue.length = 0;
    stage.service.down = undefined;
    await until('the release', () => stage.service.completed.has(head));
    await until('the segment', () => stage.service.bundles.length === before + 1);
    await worker.stop();
  });

  it('hands over after a restart what an earlier life stored and could not release', async () => {
    const storePath = join(stage.folder, 'restarted.sqlite');
    const first = await start({ storePath });
    const customer = await customerOf(await stage.openOrder(modelId));
    const sent = await customer.next();
    stage.service.down = /complete|segments/;
    stage.service.queue.push({ sent });
    await until('the stored job', () => new WorkerStore(storePath).unreleasedJobs().length === 1);
    await first.stop();
    stage.service.queue.length = 0;
    const before = stage.service.bundles.length;
    const second = await start({ storePath, segmentIdleMs: 200 });
    assert.ok(!stage.service.completed.has(fieldToHex(sent.head)), 'the service is still down');
    stage.service.down = undefined;
    await until('the release', () => stage.service.completed.has(fieldToHex(sent.head)));
    await until('the segment', () => stage.service.bundles.length === before + 1);
    assert.notEqual(second.ready.keysetDigest, first.ready.keysetDigest);
    const policyId = customer.order.opening.policyId;
    assert.equal((await stage.contracts.registry.leaf(first.ready.keysetDigest, policyId)).retired, true);
    await second.stop();
  });

  it('waits for a service that is down when it wants to list itself, and registers once', async () => {
    stage.service.down = /enclaves/;
    const registered = (await stage.contracts.registry.registrations(0)).length;
    const starting = start();
    await until('the registration', async () => (await stage.contracts.registry.registrations(0)).length > registered);
    const listed = stage.service.listings.length;
    await sleep(300);
    assert.equal(stage.service.listings.length, listed);
    stage.service.down = undefined;
    const worker = await starting;
    assert.equal(stage.service.listings.length, listed + 1);
    assert.equal((await stage.contracts.registry.registrations(0)).length, registered + 1);
    await worker.stop();
  });

  it('outlives a chain that is down while it judges a job', async () => {
    const worker = await start({ chainViewMaxAgeMs: 0, segmentIdleMs: 200 });
    const customer = await customerOf(await stage.openOrder(modelId));
    const sent = await customer.next();
    await stage.chain.goOffline();
    stage.service.queue.push({ sent });
    await sleep(800);
    assert.ok(!stage.service.completed.has(fieldToHex(sent.head)) && !stage.service.declined.has(fieldToHex(sent.head)));
    await stage.chain.goOnline();
    await until('the job', () => stage.service.completed.has(fieldToHex(sent.head)));
    await worker.stop();
  });

  it('ends when receipts can no longer be stored, and releases nothing', async () => {
    const storePath = join(stage.folder, 'full.sqlite');
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<WorkerReady>();
    const config = parseWorkerConfig({ ...stage.settings([model]), storePath });
    const ended = runWorker(config, { signal: abort.signal, onReady: resolve });
    await Promise.race([promise, ended]);
    const file = new DatabaseSync(storePath);
    file.exec("CREATE TRIGGER full BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    file.close();
    const customer = await customerOf(await stage.openOrder(modelId));
    const sent = await customer.next();
    stage.service.queue.push({ sent });
    await rejectsCode(ended, 'STUN_WORKER_STORE');
    stage.service.queue.length = 0;
    assert.ok(!stage.service.completed.has(fieldToHex(sent.head)));
  });

  it('serves readiness by a real quote', async () => {
    const worker = await start({ listen: { host: '127.0.0.1', port: 0 } });
    const response = await fetch(`${worker.ready.healthUrl}/readyz`);
    const found = (await response.json()) as Record<string, unknown>;
    assert.deepEqual([response.status, found['ready'], found['simulated']], [200, true, true]);
    assert.equal((await fetch(`${worker.ready.healthUrl}/healthz`)).status, 200);
    assert.equal((await fetch(`${worker.ready.healthUrl}/else`)).status, 404);
    await worker.stop();
  });

  it('refuses to start without a quorum, naming the attestors’ codes', async () => {
    stage.faults.set(3, { status: 403 });
    stage.faults.set(4, { status: 403 });
    await rejectsCode(start(), 'STUN_APPROVAL_QUORUM');
    stage.faults.clear();
  });

  it('does without an attestor whose approval is for something else', async () => {
    stage.faults.set(3, { approval: { expiresAtUnix: 2_000_000_000 } });
    const worker = await start();
    await worker.stop();
    stage.faults.set(4, { secretKey: new Uint8Array(32).fill(9) });
    await rejectsCode(start(), 'STUN_APPROVAL_QUORUM');
    stage.faults.clear();
  });
});
