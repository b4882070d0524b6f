/** The service's storage of intents keeps the same promises as the one in memory. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyMigratedStore } from '#test/integration/service/kept-store.ts';
import { checkSenderStore } from '#test/unit/sender/store-contract.ts';
import { openDatabase, type Database } from '#service/db/open.ts';
import { SqlSenderStore } from '#service/db/sender-store.ts';

describe('sender: store in SQL (PGlite)', function () {
  this.timeout(60_000);
  let db: Database;
  let nowMs = 0;
  const directory = mkdtempSync(join(tmpdir(), 'stun-sender-'));

  before(async () => {
    await copyMigratedStore(directory);
    db = await openDatabase({ kind: 'pglite', directory });
  });
  after(async () => {
    await db.close();
    rmSync(directory, { recursive: true });
  });

  checkSenderStore(
    async () => {
      await db.sql.deleteFrom('sender_intent').execute();
      await db.sql.deleteFrom('sender_account').execute();
      nowMs = 1_000_000;
      return new SqlSenderStore(db, 60_000, () => nowMs);
    },
    (ms) => {
      nowMs += ms;
    },
  );

  it('shows what it holds to a store that is opened later on the same database', async () => {
    const call = { to: `0x${'b2'.repeat(20)}`, data: '0x', valueWei: '5' };
    const account = `0x${'a1'.repeat(20)}`;
    const fresh = { key: 'kept', chainId: 31337, account, call, context: '', kind: 'call', nonce: null } as const;
    const written = await new SqlSenderStore(db, 60_000, () => nowMs).insert(fresh);
    assert.deepEqual(await new SqlSenderStore(db, 60_000, () => nowMs).load('kept'), written);
  });
});
