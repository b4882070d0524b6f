/** The store on both engines: migrations, numbers, transactions, the sender's storage, the lock of an embedded directory. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { migrate } from '#service/db/migrate.ts';
import { migrations } from '#service/db/migrations/index.ts';
import { openDatabase, type Database, type DatabaseTarget } from '#service/db/open.ts';
import { lockDirectory } from '#service/db/pglite-lock.ts';
import { SqlSenderStore } from '#service/db/sender-store.ts';
import { createQueue } from '#service/pipeline/queue.ts';
import { testedEngines, type TestStore } from './engines.ts';

for (const engine of testedEngines()) {
  engine.describe(`service: store, on ${engine.name}`, function () {
    this.timeout(60_000);
    let store: TestStore;
    let target: DatabaseTarget;
    let db: Database;

    before(async () => {
      store = await engine.create();
      const { database } = store;
      target = database === 'memory' ? { kind: 'memory' } : { kind: 'postgres', url: database, maxConnections: 8 };
      db = await openDatabase(target);
    });

    after(async () => {
      await db.close();
      await store.drop();
    });

    it('applies each migration once and refuses one that was changed', async () => {
      assert.equal(await migrate(db.sql), 0);
      const [first, ...rest] = migrations;
      const changed = { ...first!, statements: [...first!.statements, 'select 1'] };
      await rejectsCode(migrate(db.sql, [changed, ...rest]), 'STUN_DATABASE_SCHEMA');
      await rejectsCode(migrate(db.sql, rest), 'STUN_DATABASE_SCHEMA');
    });

    it('reads counts and 64-bit integers as numbers, bytes as bytes', async () => {
      const { rows } = await sql<{ n: unknown; m: unknown; b: Uint8Array }>`select count(*) as n, 9007199254740991::int8 as m,
        '\\x00ff'::bytea as b`.execute(db.sql);
      assert.deepEqual([rows[0]!.n, rows[0]!.m, [...rows[0]!.b]], [1, Number.MAX_SAFE_INTEGER, [0, 255]]);
    });

    it('keeps a failed transaction out, and parallel ones apart', async () => {
      const challenge = (nonce: string) => ({ nonce, account: 'a', audience: 'x', issued_at_unix: 1, expires_at_unix: 9e9 });
      const failing = db.transaction(async (trx) => {
        await trx.insertInto('challenge').values(challenge('lost')).execute();
        await sql`select pg_sleep(0.05)`.execute(trx);
        throw new RangeError('on purpose');
      });
      const passing = Array.from({ length: 10 }, (_, i) =>
        db.transaction(async (trx) =>
          trx
            .insertInto('challenge')
            .values(challenge(`kept ${i}`))
            .execute(),
        ),
      );
      await Promise.all([assert.rejects(failing, RangeError), ...passing]);
      const { rows } = await sql<{ nonce: string }>`select nonce from challenge`.execute(db.sql);
      assert.equal(rows.length, 10);
    });

    it('sends a task with its transaction or not at all', async () => {
      const queue = createQueue(db, true, () => undefined);
      await queue.start();
      const seen: string[] = [];
      await assert.rejects(
        db.transaction(async (trx) => {
          await queue.prove(trx, 'rolled back');
          throw new RangeError('on purpose');
        }),
      );
      await db.transaction((trx) => queue.prove(trx, 'kept'));
      const done = new Promise<void>((resolve) => {
        void queue.work('prove', 1, async (task) => {
          seen.push(task.id);
          resolve();
        });
      });
      await done;
      await queue.stop(2000);
      assert.deepEqual(seen, ['kept']);
    });

    it('gives an account to one sender at a time and takes only the next version of an intent', async () => {
      let nowMs = 1000;
      const senders = new SqlSenderStore(db, 60_000, () => nowMs);
      const claim = await senders.claim(31337, '0xaa');
      await rejectsCode(senders.claim(31337, '0xaa'), 'STUN_SENDER_CLAIMED');
      const call = { to: '0x01', data: '0x', valueWei: '0' };
      const fresh = { chainId: 31337, account: '0xaa', call, context: '', kind: 'call', nonce: null } as const;
      const [a, b] = await Promise.all([senders.insert({ key: 'a', ...fresh }), senders.insert({ key: 'b', ...fresh })]);
      assert.deepEqual(
        [a.sequence, b.sequence].toSorted((x, y) => x - y),
        [1, 2],
      );
      assert.deepEqual(await senders.insert({ key: 'a', ...fresh }), a);
      const next = { ...a, state: 'signed' as const, nonce: 3, revision: 2 };
      await senders.save(claim, next);
      await rejectsCode(senders.save(claim, next), 'STUN_SENDER_CLAIM_LOST');
      assert.deepEqual(await senders.load('a'), next);
      nowMs += 60_001;
      const taken = await senders.claim(31337, '0xaa');
      await rejectsCode(senders.renew(claim), 'STUN_SENDER_CLAIM_LOST');
      await rejectsCode(senders.save(claim, { ...next, revision: 3 }), 'STUN_SENDER_CLAIM_LOST');
      await senders.save(taken, { ...next, state: 'failed', failure: { code: 'STUN_SETTLE_PROOF', reason: 'x' }, revision: 3 });
      assert.deepEqual(
        (await senders.active(31337, '0xaa')).map((intent) => intent.key),
        ['b'],
      );
      await senders.release(taken);
      await senders.release(await senders.claim(31337, '0xaa'));
    });
  });
}

describe('service: embedded store', function () {
  this.timeout(60_000);
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'stun-pglite-'));
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  it('has one owner, keeps its content, and is taken over from one that is gone or whose number another process has', async () => {
    const target = { kind: 'pglite', directory } as const;
    const first = await openDatabase(target);
    const row = { nonce: 'n', account: 'a', audience: 'x', issued_at_unix: 1, expires_at_unix: 2 };
    await first.sql.insertInto('challenge').values(row).execute();
    await rejectsCode(openDatabase(target), 'STUN_DATABASE_LOCKED');
    const holder = readFileSync(join(directory, 'stun.lock.1'), 'utf8');
    await first.close();
    const locks = (): string[] => readdirSync(directory).filter((name) => name.startsWith('stun.lock'));
    assert.deepEqual(locks(), []);
    const [, boot, start] = holder.split(',');
    const living = String(process.ppid);
    for (const [i, dead] of [`4194305,${boot},${start}`, `${living},${boot},1`, `${living},of another run,${start}`].entries()) {
      writeFileSync(join(directory, `stun.lock.${i + 1}`), dead);
      lockDirectory(directory)();
    }
    writeFileSync(join(directory, 'stun.lock.4'), `${living},${boot},`);
    await rejectsCode(openDatabase(target), 'STUN_DATABASE_LOCKED');
    rmSync(join(directory, 'stun.lock.4'));
    const second = await openDatabase(target);
    assert.equal((await second.sql.selectFrom('challenge').selectAll().execute()).length, 1);
    await second.close();
  });

  it('is refused when a PostgreSQL does not answer', async () => {
    await rejectsCode(
      openDatabase({ kind: 'postgres', url: 'postgres://stun@127.0.0.1:1/none', maxConnections: 2 }),
      'STUN_DATABASE',
    );
  });
});
