import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StunError, utf8, type ErrorCode } from '#protocol/index.ts';
import { exportBackup, restoreBackup } from '#client/store/backup.ts';
import { takeLock } from '#client/store/lock.ts';
import { openStore } from '#client/store/store.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { CHEAP, PASSPHRASE, removeFolders, storeWithOrder, temporaryFolder } from '#test/unit/client/store-fixtures.ts';

describe('client store refuses', () => {
  afterEach(removeFolders);

  it('another passphrase', async () => {
    const { folder } = await storeWithOrder();
    await rejectsCode(openStore(folder, 'wrong passphrase'), 'STUN_STORE_PASSPHRASE');
  });

  it('a passphrase of seven characters', async () => {
    await rejectsCode(openStore(await temporaryFolder(), '1234567', CHEAP), 'STUN_STORE_PASSPHRASE');
  });

  it('any changed byte of an order file', async () => {
    const { folder, store, order } = await storeWithOrder();
    const path = join(folder, 'orders', `${order.orderKey}.sealed`);
    const bytes = await readFile(path);
    let tried = 0;
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
      const changed = new Uint8Array(bytes);
      changed[at] = changed[at]! ^ 1;
      await writeFile(path, changed);
      await rejectsCode(store.orders.read(order.orderKey), 'STUN_STORE_DAMAGED');
      tried++;
    }
    assert.ok(tried > 50);
  });

  it('an order file under the name of another order', async () => {
    const { folder, store, order } = await storeWithOrder();
    const other = `0x${'ab'.repeat(32)}`;
    await copyFile(join(folder, 'orders', `${order.orderKey}.sealed`), join(folder, 'orders', `${other}.sealed`));
    await rejectsCode(store.orders.read(other), 'STUN_STORE_DAMAGED');
  });

  it('an order it does not have', async () => {
    const { store } = await storeWithOrder();
    await rejectsCode(store.orders.read(`0x${'cd'.repeat(32)}`), 'STUN_ORDER_NOT_STORED');
  });

  it('a second order under the same key', async () => {
    const { store, order } = await storeWithOrder();
    await rejectsCode(store.orders.create(order), 'STUN_STORE_CONFLICT');
  });

  it('a lane that a process uses', async () => {
    const { store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    await rejectsCode(store.lanes.open(order, laneEnclave.provider, 0), 'STUN_LANE_LOCKED');
    await lane.close();
  });

  it('a lane whose lock names another host', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'lock.1'), JSON.stringify({ host: `not-${hostname()}`, boot: '', pid: 1, started: '' }));
    await rejectsCode(takeLock(folder, 'lane'), 'STUN_LANE_LOCKED');
  });

  it('a lock that names no process', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'lock.1'), '{}');
    await rejectsCode(takeLock(folder, 'lane'), 'STUN_STORE_DAMAGED');
  });

  const withJobs = async (count: number) => {
    const { store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    for (let i = 0; i < count; i++) await lane.demand({ payload: utf8(`payload ${i}`), maxPrice: 1n });
    await lane.close();
    const folder = lane.files.folder;
    const names = (await readdir(folder)).filter((name) => name.endsWith('.job')).sort();
    const reopen = (code: ErrorCode) => rejectsCode(store.lanes.open(order, laneEnclave.provider, 0), code);
    return { folder, names, reopen, lane };
  };

  it('a lane with a missing demand', async () => {
    const { folder, names, reopen } = await withJobs(3);
    await rename(join(folder, names[1]!), join(folder, 'kept'));
    await reopen('STUN_STORE_DAMAGED');
  });

  it('a lane with two demands of one number', async () => {
    const { folder, names, reopen } = await withJobs(2);
    await copyFile(join(folder, names[1]!), join(folder, `000002-0x${'11'.repeat(32)}.job`));
    await reopen('STUN_LANE_FORK');
  });

  it('a demand that was moved to another number', async () => {
    const { folder, names, reopen } = await withJobs(1);
    await copyFile(join(folder, names[0]!), join(folder, names[0]!.replace('000001', '000002')));
    await reopen('STUN_STORE_DAMAGED');
  });

  it('a second demand on a head when the lock was bypassed', async () => {
    const { lane } = await withJobs(1);
    const [first] = await lane.files.jobs();
    assert.ok(first);
    const job = await lane.files.job(first);
    const forged = { ...job, payload: utf8('another') };
    await rejectsCode(lane.files.addJob(forged), 'STUN_LANE_FORK');
  });

  it('a demand after the lane has ended, with the code that ended it', async () => {
    const { store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    await lane.files.close({ code: 'STUN_BUDGET', reason: 'used up' });
    await rejectsCode(lane.demand({ payload: utf8('x'), maxPrice: 1n }), 'STUN_BUDGET');
    await lane.close();
  });

  it('a backup with another passphrase, and a changed one', async () => {
    const { store } = await storeWithOrder();
    const { text } = await exportBackup(store.orders, PASSPHRASE, CHEAP);
    await rejectsCode(restoreBackup(store.orders, 'wrong passphrase', text), 'STUN_STORE_PASSPHRASE');
    const parsed = JSON.parse(text) as { sealedMasterKey: string };
    const changed = parsed.sealedMasterKey.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    const tampered = JSON.stringify({ ...parsed, sealedMasterKey: changed });
    await rejectsCode(restoreBackup(store.orders, PASSPHRASE, tampered), 'STUN_STORE_PASSPHRASE');
    await rejectsCode(restoreBackup(store.orders, PASSPHRASE, '{'), 'STUN_STORE_DAMAGED');
  });

  it('never a secret in its errors', async () => {
    const { store, order } = await storeWithOrder();
    try {
      await store.orders.create(order);
      assert.fail('the second create must be refused');
    } catch (thrown) {
      assert.ok(thrown instanceof StunError);
      assert.ok(!JSON.stringify([thrown.message, thrown.details]).includes(order.demandKey.secret.toString(16)));
    }
  });
});
