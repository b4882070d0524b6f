/**
 * Deletes what has reached its age, a batch of each table at a time: a store that was down for a week, or a setting that was lowered,
 * must not hold a table for minutes. What is settled by (headers, receipts, segments, settlements) stays for good.
 */
import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { Tables } from '../db/schema.ts';
import { nowUnix, type Services } from '../services.ts';

/** Rows of one table that go in one statement. */
const BATCH = 1000;
const IDEMPOTENCY_SECONDS = 86_400;

/** What goes from a table; every condition has an index. */
type Rule = readonly [table: keyof Tables, isAged: RawBuilder<SqlBool>];

function rulesOf(services: Services): readonly Rule[] {
  const { settings } = services;
  const before = (seconds: number): number => services.nowMs() - seconds * 1000;
  const unix = nowUnix(services);
  return [
    // The ciphertext of a job that may still be leased stays, however old.
    [
      'payload',
      sql`created_at_ms <= ${before(settings.payloadRetentionSeconds)} and exists (select 1 from job
        where job.job_id = payload.job_id and job.state not in ('queued', 'leased', 'running'))`,
    ],
    ['result', sql`created_at_ms <= ${before(settings.resultRetentionSeconds)}`],
    // An opening is wanted while its order takes jobs.
    ['opening', sql`expires_at_unix <= ${unix - settings.payloadRetentionSeconds}`],
    ['event', sql`created_at_ms < ${before(settings.historyRetentionSeconds)}`],
    ['lease', sql`state <> 'active' and created_at_ms < ${before(settings.historyRetentionSeconds)}`],
    // What became of a settlement is asked of its transaction until the chain has said it.
    [
      'sender_intent',
      sql`final and ended_at_ms < ${before(settings.historyRetentionSeconds)} and not exists (select 1 from segment
        where segment.state = 'proven' and segment.sent_key = sender_intent.key)`,
    ],
    ['challenge', sql`expires_at_unix < ${unix}`],
    ['credential', sql`kind = 'session' and expires_at_ms < ${services.nowMs()}`],
    ['idempotency', sql`created_at_ms < ${before(IDEMPOTENCY_SECONDS)}`],
    ['webhook_delivery', sql`created_at_ms < ${before(settings.deliveryRetentionSeconds)}`],
  ];
}

/** Deletes a batch of each kind. @returns whether there may be more to delete at once */
export async function deleteAged(services: Services): Promise<boolean> {
  const deleted: Record<string, number> = {};
  for (const [table, isAged] of rulesOf(services)) {
    const rows = sql`select ctid from ${sql.table(table)} where ${isAged} limit ${sql.lit(BATCH)}`;
    const result = await sql`delete from ${sql.table(table)} where ctid = any(array(${rows}))`.execute(services.db.sql);
    const count = Number(result.numAffectedRows ?? 0n);
    if (count > 0) deleted[table] = count;
  }
  if (Object.keys(deleted).length > 0) services.log.info({ event: 'retention.deleted', ...deleted });
  return Object.values(deleted).includes(BATCH);
}
