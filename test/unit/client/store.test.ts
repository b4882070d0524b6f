import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  decodeRequestData,
  fromHex,
  laneGenesisOf,
  openRequest,
  outputBlindingOf,
  utf8,
  verifyJobHeader,
} from '#protocol/index.ts';
import { exportBackup, restoreBackup } from '#client/store/backup.ts';
import { openStore } from '#client/store/store.ts';
import { CHEAP, PASSPHRASE, removeFolders, storeWithOrder, temporaryStore } from './store-fixtures.ts';

describe('client store', () => {
  afterEach(removeFolders);

  it('stores a demand that the enclave can open and that verifies against its order', async () => {
    const { store, order, enclave, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    const payload = utf8('the payload');
    const job = await lane.demand({ payload, maxPrice: 700n });
    assert.equal(verifyJobHeader(job.header), job.head);
    assert.equal(job.header.previousHead, laneGenesisOf(job.header));
    const binding = {
      orderId: order.orderId,
      provider: enclave.leaf.provider,
      keysetDigest: fromHex(laneEnclave.keysetDigest),
      demandHead: job.head,
    };
    const opened = await openRequest(enclave.sealing, binding, job.envelope);
    const data = decodeRequestData(opened.data);
    assert.deepEqual(data.payload, payload);
    assert.equal(data.inputBlinding, job.inputBlinding);
    assert.equal(data.outputBlinding, outputBlindingOf(order.outputSeed, job.head));
    assert.deepEqual(opened.resultSecret, job.resultSecret);
    await lane.close();
  });

  it('takes a lane up again with the same bytes and continues its heads', async () => {
    const { folder, store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    const first = await lane.demand({ payload: utf8('one'), maxPrice: 1n });
    await lane.close();
    const again = await openStore(folder, PASSPHRASE);
    const resumed = await again.lanes.open(await again.orders.read(order.orderKey), laneEnclave.provider, 0);
    assert.equal(resumed.k, 1);
    assert.equal(resumed.head, first.head);
    assert.deepEqual(await resumed.files.job({ k: 1, jobId: first.jobId }), first);
    const second = await resumed.demand({ payload: utf8('two'), maxPrice: 1n });
    assert.equal(second.header.previousHead, first.head);
    assert.equal(second.header.k, 2);
    await resumed.close();
  });

  it('signs concurrent demands one after the other', async () => {
    const { store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    const jobs = await Promise.all([1, 2, 3, 4].map((i) => lane.demand({ payload: utf8(`p${i}`), maxPrice: BigInt(i) })));
    assert.deepEqual(
      jobs.map((job) => job.header.k),
      [1, 2, 3, 4],
    );
    for (const [i, job] of jobs.slice(1).entries()) assert.equal(job.header.previousHead, jobs[i]?.head);
    await lane.close();
  });

  it('uses a free open lane of an enclave again, and a new one while that is held', async () => {
    const { store, order, laneEnclave } = await storeWithOrder();
    const held = await store.lanes.forEnclave(order, laneEnclave);
    const other = await store.lanes.forEnclave(order, laneEnclave);
    assert.deepEqual([held.record.laneIndex, other.record.laneIndex], [0, 1]);
    await held.close();
    const again = await store.lanes.forEnclave(order, laneEnclave);
    assert.equal(again.record.laneIndex, 0);
    await again.close();
    await other.close();
  });

  it('leaves a lane alone whose evidence ends within the hour, once the enclave shows other evidence', async () => {
    const { store, order, laneEnclave } = await storeWithOrder();
    const laneAt = async (verifiedAtUnix: number, evidenceText: string): Promise<number> => {
      const lane = await store.lanes.forEnclave(order, { ...laneEnclave, verifiedAtUnix, evidenceText });
      await lane.close();
      return lane.record.laneIndex;
    };
    const lastUnix = laneEnclave.evidenceExpiresAtUnix - 3600;
    assert.equal(await laneAt(laneEnclave.verifiedAtUnix, '{}'), 0);
    assert.equal(await laneAt(lastUnix, '{"renewed":1}'), 0);
    assert.equal(await laneAt(lastUnix + 1, '{}'), 0, 'there is nothing better');
    assert.equal(await laneAt(lastUnix + 1, '{"renewed":1}'), 1);
  });

  it('leaves a closed lane alone', async () => {
    const { store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    await lane.files.close({ code: 'STUN_ENCLAVE_NOT_LIVE', reason: 'gone' });
    await lane.close();
    const next = await store.lanes.forEnclave(order, laneEnclave);
    assert.equal(next.record.laneIndex, 1);
    await next.close();
  });

  it('holds no secret and no payload in clear on disk', async () => {
    const { folder, store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    const payload = utf8('a payload that must not be readable');
    const job = await lane.demand({ payload, maxPrice: 1n });
    await lane.close();
    const secrets = [payload, job.resultSecret, utf8(order.demandKey.secret.toString(16)), utf8(order.outputSeed.toString(16))];
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    assert.ok(files.length >= 4, `looked at ${files.length} files`);
    for (const file of files) {
      const bytes = await readFile(join(file.parentPath, file.name));
      for (const secret of secrets) assert.equal(bytes.indexOf(secret), -1, `${file.name} holds a secret`);
    }
  });

  it('restores orders from a backup and starts lanes at a random index far from the first', async () => {
    const { store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    await lane.demand({ payload: utf8('x'), maxPrice: 1n });
    await lane.close();
    const backup = await exportBackup(store.orders, 'another passphrase', CHEAP);
    assert.equal(backup.orders, 1);
    const bases = new Set<number>();
    for (let i = 0; i < 3; i++) {
      const { store: fresh } = await temporaryStore();
      const done = await restoreBackup(fresh.orders, 'another passphrase', backup.text);
      assert.deepEqual(done.restored, [order.orderKey]);
      const restored = await fresh.orders.read(order.orderKey);
      assert.equal(restored.demandKey.secret, order.demandKey.secret);
      assert.equal(restored.outputSeed, order.outputSeed);
      assert.deepEqual(await fresh.lanes.ofOrder(order.orderKey), []);
      const first = await fresh.lanes.create(restored, laneEnclave);
      assert.ok(first.record.laneIndex >= 2 ** 16);
      bases.add(first.record.laneIndex);
      await first.close();
      assert.deepEqual((await restoreBackup(fresh.orders, 'another passphrase', backup.text)).present, [order.orderKey]);
    }
    assert.equal(bases.size, 3);
  });
});
