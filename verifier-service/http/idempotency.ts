/**
 * The `idempotency-key` header of requests whose answer holds a secret. The key is spent in the transaction of the effect, so that a crash
 * leaves both or neither; a repetition is refused, for the secret is not kept.
 */
import { createHash } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Trx } from '../db/open.ts';

const form = /^[\x21-\x7e]{8,200}$/;

/** What a key stands for. */
export interface KeyedRequest {
  readonly account: string;
  /** The header; undefined leaves everything undone. */
  readonly key: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
}

/**
 * Spends the key of a request. Of two requests at once the later waits here for the transaction of the first.
 * @throws `STUN_INPUT`, `STUN_IDEMPOTENCY_SPENT`, `STUN_IDEMPOTENCY_MISMATCH`
 */
export async function spendKey(trx: Trx, request: KeyedRequest, nowMs: number): Promise<void> {
  const { account, key, method, path, body } = request;
  if (key === undefined) return;
  if (!form.test(key)) throw new StunError('STUN_INPUT', 'idempotency-key must be 8 to 200 printable characters');
  const requestHash = createHash('sha256').update(`${method} ${path}\n`).update(body).digest('hex');
  const spent = await trx
    .insertInto('idempotency')
    .values({ account, key, request_hash: requestHash, created_at_ms: nowMs })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  if (spent !== undefined) return;
  const before = await trx
    .selectFrom('idempotency')
    .select('request_hash')
    .where('account', '=', account)
    .where('key', '=', key)
    .executeTakeFirst();
  if (before?.request_hash === requestHash) {
    throw new StunError('STUN_IDEMPOTENCY_SPENT', 'the answer held a secret and was not kept');
  }
  throw new StunError('STUN_IDEMPOTENCY_MISMATCH', 'the key belongs to another request');
}
