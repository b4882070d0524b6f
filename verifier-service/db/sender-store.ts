/** The transaction sender's storage in SQL: intents as documents, claims of accounts with a time limit. chain/sender/store.ts. */
import { randomUUID } from 'node:crypto';
import { isFinal, type Intent } from '#chain/sender/intent.ts';
import type { AccountClaim, NewIntent, SenderStore } from '#chain/sender/store.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Database, Trx } from './open.ts';

const lost = (account: string): StunError => new StunError('STUN_SENDER_CLAIM_LOST', `another sender signs for ${account} now`);

function read(text: string): Intent {
  return JSON.parse(text) as Intent;
}

/** Keeps intents in the service's store. */
export class SqlSenderStore implements SenderStore {
  readonly #db: Database;
  readonly #claimMs: number;
  readonly #nowMs: () => number;

  /** @param claimMs - how long a claim lasts without being renewed */
  constructor(db: Database, claimMs: number, nowMs: () => number = Date.now) {
    this.#db = db;
    this.#claimMs = claimMs;
    this.#nowMs = nowMs;
  }

  async claim(chainId: number, account: string): Promise<AccountClaim> {
    const token = randomUUID();
    await this.#db.transaction(async (trx) => {
      await ensureAccount(trx, chainId, account);
      const taken = await trx
        .updateTable('sender_account')
        .set({ token, expires_at_ms: this.#nowMs() + this.#claimMs })
        .where('chain_id', '=', chainId)
        .where('account', '=', account)
        .where((eb) => eb.or([eb('token', 'is', null), eb('expires_at_ms', '<=', this.#nowMs())]))
        .returning('account')
        .executeTakeFirst();
      if (taken === undefined) throw new StunError('STUN_SENDER_CLAIMED', `another sender signs for ${account}`);
    });
    return { chainId, account, token };
  }

  async renew(claim: AccountClaim): Promise<void> {
    const renewed = await this.#db.sql
      .updateTable('sender_account')
      .set({ expires_at_ms: this.#nowMs() + this.#claimMs })
      .where('chain_id', '=', claim.chainId)
      .where('account', '=', claim.account)
      .where('token', '=', claim.token)
      .returning('account')
      .executeTakeFirst();
    if (renewed === undefined) throw lost(claim.account);
  }

  async release(claim: AccountClaim): Promise<void> {
    await this.#db.sql
      .updateTable('sender_account')
      .set({ token: null, expires_at_ms: null })
      .where('chain_id', '=', claim.chainId)
      .where('account', '=', claim.account)
      .where('token', '=', claim.token)
      .execute();
  }

  async insert(intent: NewIntent): Promise<Intent> {
    return this.#db.transaction(async (trx) => {
      const { chainId, account, key } = intent;
      await ensureAccount(trx, chainId, account);
      // The row of the account is the lock under which sequence numbers are given.
      const { next_sequence: sequence } = await trx
        .selectFrom('sender_account')
        .select('next_sequence')
        .where('chain_id', '=', chainId)
        .where('account', '=', account)
        .forUpdate()
        .executeTakeFirstOrThrow();
      const stored = await trx.selectFrom('sender_intent').select('intent').where('key', '=', key).executeTakeFirst();
      if (stored !== undefined) return read(stored.intent);
      const fresh: Intent = {
        ...intent,
        sequence,
        revision: 1,
        state: 'intended',
        gasLimit: null,
        attempts: [],
        broadcastAtMs: null,
        replacedCount: 0,
        mined: null,
        outcome: null,
        failure: null,
        waitingFor: null,
      };
      const row = { key, chain_id: chainId, account, sequence, revision: 1, final: false, intent: JSON.stringify(fresh) };
      await trx.insertInto('sender_intent').values(row).execute();
      await trx
        .updateTable('sender_account')
        .set({ next_sequence: sequence + 1 })
        .where('chain_id', '=', chainId)
        .where('account', '=', account)
        .execute();
      return fresh;
    });
  }

  async load(key: string): Promise<Intent | undefined> {
    const row = await this.#db.sql.selectFrom('sender_intent').select('intent').where('key', '=', key).executeTakeFirst();
    return row === undefined ? undefined : read(row.intent);
  }

  async active(chainId: number, account: string): Promise<readonly Intent[]> {
    const rows = await this.#db.sql
      .selectFrom('sender_intent')
      .select('intent')
      .where('chain_id', '=', chainId)
      .where('account', '=', account)
      .where('final', '=', false)
      .orderBy('sequence')
      .execute();
    return rows.map((row) => read(row.intent));
  }

  async save(claim: AccountClaim, next: Intent): Promise<void> {
    await this.#db.transaction(async (trx) => {
      const held = await trx
        .selectFrom('sender_account')
        .select('token')
        .where('chain_id', '=', claim.chainId)
        .where('account', '=', claim.account)
        .forUpdate()
        .executeTakeFirst();
      if (held?.token !== claim.token) throw lost(claim.account);
      const saved = await trx
        .updateTable('sender_intent')
        .set({
          intent: JSON.stringify(next),
          revision: next.revision,
          final: isFinal(next),
          ended_at_ms: isFinal(next) ? this.#nowMs() : null,
        })
        .where('key', '=', next.key)
        .where('revision', '=', next.revision - 1)
        .returning('key')
        .executeTakeFirst();
      if (saved === undefined) throw new StunError('STUN_SENDER_CLAIM_LOST', `intent ${next.key} was changed by another sender`);
    });
  }
}

async function ensureAccount(trx: Trx, chainId: number, account: string): Promise<void> {
  await trx
    .insertInto('sender_account')
    .values({ chain_id: chainId, account, token: null, expires_at_ms: null, next_sequence: 1 })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
