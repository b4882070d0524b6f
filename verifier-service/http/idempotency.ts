/**
 * The `idempotency-key` header: a repeated request gets the stored answer. Answers that hold a secret are not stored; repeating such a
 * request is refused with a code of its own.
 */
import { createHash } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Services } from '../services.ts';
import { json, type Reply } from './reply.ts';

const form = /^[\x21-\x7e]{8,200}$/;
/** A request that crashed in the middle does not hold its key for longer. */
const RUNNING_MS = 60_000;

/** Serves a request once per key of an account. */
export async function idempotently(
  services: Services,
  mode: 'replay' | 'once',
  account: string,
  key: string | undefined,
  request: { readonly method: string; readonly path: string; readonly body: Uint8Array },
  serve: () => Promise<Reply>,
): Promise<Reply> {
  if (key === undefined) return serve();
  if (!form.test(key)) throw new StunError('STUN_INPUT', 'idempotency-key must be 8 to 200 printable characters');
  const requestHash = createHash('sha256').update(`${request.method} ${request.path}\n`).update(request.body).digest('hex');
  const stored = await begin(services, account, key, requestHash);
  if (stored !== undefined) return stored;
  const at = { account, key };
  let reply: Reply;
  try {
    reply = await serve();
  } catch (thrown) {
    await services.db.sql.deleteFrom('idempotency').where('account', '=', at.account).where('key', '=', at.key).execute();
    throw thrown;
  }
  const kept =
    mode === 'replay' && reply.kind === 'json' ? { state: 'done' as const, body: JSON.stringify(reply.body) } : undefined;
  await services.db.sql
    .updateTable('idempotency')
    .set({ state: kept?.state ?? 'spent', body: kept?.body ?? null, status: reply.kind === 'json' ? reply.status : 204 })
    .where('account', '=', at.account)
    .where('key', '=', at.key)
    .execute();
  return reply;
}

async function begin(services: Services, account: string, key: string, requestHash: string): Promise<Reply | undefined> {
  const nowMs = services.nowMs();
  const inserted = await services.db.sql
    .insertInto('idempotency')
    .values({ account, key, request_hash: requestHash, state: 'running', status: null, body: null, created_at_ms: nowMs })
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'key'])
        .doUpdateSet({ created_at_ms: nowMs })
        .where('idempotency.state', '=', 'running')
        .where('idempotency.request_hash', '=', requestHash)
        .where('idempotency.created_at_ms', '<', nowMs - RUNNING_MS),
    )
    .returning('account')
    .executeTakeFirst();
  if (inserted !== undefined) return undefined;
  const row = await services.db.sql
    .selectFrom('idempotency')
    .selectAll()
    .where('account', '=', account)
    .where('key', '=', key)
    .executeTakeFirst();
  if (row === undefined || (row.state === 'running' && row.request_hash === requestHash)) {
    throw new StunError('STUN_IDEMPOTENCY_RUNNING', 'the first request with this key has not ended');
  }
  if (row.request_hash !== requestHash) throw new StunError('STUN_IDEMPOTENCY_MISMATCH', 'the key belongs to another request');
  if (row.state === 'spent') throw new StunError('STUN_IDEMPOTENCY_SPENT', 'the answer held a secret and was not kept');
  const body: unknown = JSON.parse(row.body ?? '{}');
  return json(row.status ?? 200, body as object, { 'idempotency-replayed': 'true' });
}
