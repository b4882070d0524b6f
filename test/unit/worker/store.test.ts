import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fieldToHex, settlementBundleFromWire } from '#protocol/index.ts';
import type { Offer } from '#worker/enclave.ts';
import { exportBundles } from '#worker/export.ts';
import { claimStore } from '#worker/store-file.ts';
import { WorkerStore } from '#worker/store.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { makeWorld, type World } from './fixtures.ts';

const echo: Offer['runner'] = {
  file: { modelPath: '', modelSha256: '0x', modelId: 7n, manifest: {} as never },
  run: (tensors) => Promise.resolve(tensors),
};

describe('worker store', () => {
  let world: World;
  let storePath: string;
  beforeEach(async () => {
    storePath = join(await mkdtemp(join(tmpdir(), 'stun-store-')), 'worker.sqlite');
    world = await makeWorld(echo, { storePath });
  });
  afterEach(() => world.close());

  it('flushes every transaction and writes ahead', () => {
    const file = new DatabaseSync(storePath);
    assert.equal(file.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
    file.close();
  });

  it('lets nobody but its owner read it, whatever the mode was', async () => {
    await world.serve(await world.customer.next());
    const folder = dirname(storePath);
    const wide = join(folder, 'wide.sqlite');
    await writeFile(wide, '', { mode: 0o644 });
    new WorkerStore(wide).close();
    const names = (await readdir(folder)).filter((name) => name.includes('.sqlite'));
    assert.ok(names.includes('worker.sqlite-wal') && names.includes('wide.sqlite'), names.join());
    for (const name of names) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  });

  it('belongs to one worker at a time, and its open segments are not ended under a living one', async () => {
    const release = claimStore(storePath);
    throwsCode(() => claimStore(storePath), 'STUN_WORKER_STORE');
    await world.serve(await world.customer.next());
    await rejectsCode(exportBundles(storePath, dirname(storePath), { closeOpen: true }), 'STUN_WORKER_STORE');
    assert.equal(world.enclave.store.closedSegments().length, 0);
    assert.deepEqual(await exportBundles(storePath, dirname(storePath), { closeOpen: false }), []);
    release();
    assert.equal((await exportBundles(storePath, dirname(storePath), { closeOpen: true })).length, 1);
  });

  it('holds what it stored when it is opened again', async () => {
    const sent = await world.customer.next();
    const outcome = await world.serve(sent);
    assert.ok(outcome.kind === 'receipted');
    const again = new WorkerStore(storePath);
    const [job] = again.unreleasedJobs();
    assert.equal(job?.jobId, fieldToHex(sent.head));
    assert.deepEqual(job?.sealedResult, new Uint8Array(outcome.sealedResult));
    again.markReleased(outcome.jobId);
    assert.equal(again.unreleasedJobs().length, 0);
    settlementBundleFromWire(again.bundleOf(again.segments()[0]!.id));
    again.close();
  });

  it('stores all of a job or nothing', async () => {
    await world.serve(await world.customer.next());
    const file = new DatabaseSync(storePath);
    file.exec("CREATE TRIGGER full BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    const sent = await world.customer.next();
    await rejectsCode(world.serve(sent), 'STUN_WORKER_STORE');
    assert.equal(file.prepare('SELECT count(*) AS n FROM jobs').get()?.['n'], 1);
    const lane = [...world.enclave.lanes.values()][0]!;
    assert.equal(lane.view.k, 1, 'the lane must not move');
    assert.equal(world.enclave.running.size, 0);
    file.exec('DROP TRIGGER full');
    file.close();
    const outcome = await world.serve(sent);
    assert.equal(outcome.kind, 'receipted');
    assert.equal(settlementBundleFromWire(world.enclave.store.bundleOf(1)).jobs.length, 2);
  });

  it('never adds to a closed segment', async () => {
    await world.serve(await world.customer.next());
    const lane = [...world.enclave.lanes.values()][0]!;
    world.enclave.store.closeSegment(lane.id.orderId, lane.id.provider, lane.id.laneIndex);
    await rejectsCode(world.serve(await world.customer.next()), 'STUN_WORKER_STORE');
  });

  it('remembers what was handed over', async () => {
    await world.serve(await world.customer.next());
    const { store } = world.enclave;
    assert.equal(store.unpushedSegments().length, 0, 'open segments stay here');
    assert.equal(store.closeAbandoned('0xanother'), 1);
    const [segment] = store.unpushedSegments();
    store.markPushed(segment!.id);
    assert.equal(store.unpushedSegments().length, 0);
    store.markSettled(segment!.id);
    assert.equal(store.unsettledSegments().length, 0);
  });

  it('holds no plaintext of inputs and outputs', async () => {
    const marker = 'the quick brown fox';
    await world.serve(
      await world.customer.next({
        tensors: [{ name: marker, dtype: 'uint8', dims: [marker.length], data: new TextEncoder().encode(marker) }],
      }),
    );
    const file = new DatabaseSync(storePath);
    const rows = ['segments', 'jobs'].flatMap((table) => file.prepare(`SELECT * FROM ${table}`).all());
    const text = rows
      .flatMap((row) =>
        Object.values(row).map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value))),
      )
      .join();
    assert.ok(text.length > 1000);
    assert.ok(!text.includes(marker));
    file.close();
  });

  it('exports closed segments as bundles that prove, and open ones only when it is told that the worker is gone', async () => {
    await world.serve(await world.customer.next());
    await world.serve(await world.customer.next());
    const folder = dirname(storePath);
    assert.deepEqual(await exportBundles(storePath, folder, { closeOpen: false }), []);
    const [bundle] = await exportBundles(storePath, folder, { closeOpen: true });
    assert.deepEqual([bundle?.jobs, bundle?.total, bundle?.firstK], [2, 1400n, 1]);
    settlementBundleFromWire(JSON.parse(await readFile(bundle!.path, 'utf8')));
    await rejectsCode(exportBundles(join(folder, 'none.sqlite'), folder, { closeOpen: false }), 'STUN_FILE');
    await rejectsCode(exportBundles(storePath, join(folder, 'nowhere'), { closeOpen: false }), 'STUN_FILE');
  });

  it('takes over a file of the first schema version with its jobs', async () => {
    await world.serve(await world.customer.next());
    world.close();
    const file = new DatabaseSync(storePath);
    for (const column of ['owes_proof', 'inference_proof', 'stranded']) file.exec(`ALTER TABLE jobs DROP COLUMN ${column}`);
    file.exec('PRAGMA user_version = 1');
    file.close();
    const store = new WorkerStore(storePath);
    store.closeAbandoned('another keyset');
    assert.equal(settlementBundleFromWire(store.bundleOf(store.unpushedSegments()[0]!.id)).jobs.length, 1);
    store.close();
    world = await makeWorld(echo, { storePath });
  });

  it('refuses a file of another schema version', () => {
    const file = new DatabaseSync(storePath);
    file.exec('PRAGMA user_version = 99');
    file.close();
    throwsCode(() => new WorkerStore(storePath), 'STUN_WORKER_STORE');
  });

  it('refuses a path that cannot be opened', () => {
    throwsCode(() => new WorkerStore(join(storePath, 'below-a-file')), 'STUN_WORKER_STORE');
  });

  it('has no bundle for a segment that is not there', () => {
    throwsCode(() => world.enclave.store.bundleOf(99), 'STUN_WORKER_STORE');
  });
});
