/** What time does: leases run out, enclaves go silent, orders end, ciphertexts and results reach their age. Each sweep is idempotent. */
import { hasWaiting, releaseExpired, releaseGone } from '../jobs/lease.ts';
import { closeIdleLanes } from '../jobs/transitions.ts';
import { nowUnix, type Services } from '../services.ts';

const IDEMPOTENCY_MS = 86_400_000;

/** What a sweep did. */
export interface SweepResult {
  readonly leasesReleased: number;
  readonly jobsVoided: number;
  readonly jobsExpired: number;
  readonly payloadsDeleted: number;
  readonly resultsDeleted: number;
}

/** Runs every sweep once. */
export async function sweep(services: Services): Promise<SweepResult> {
  const leasesReleased = await releaseExpired(services);
  const jobsVoided = await releaseGone(services);
  const jobsExpired = await expireOrders(services);
  const { payloadsDeleted, resultsDeleted } = await deleteAged(services);
  await deleteSpent(services);
  return { leasesReleased, jobsVoided, jobsExpired, payloadsDeleted, resultsDeleted };
}

/** Ends what waits under orders past their deadline. Leased jobs may still be completed: their provider is paid until the grace ends. */
async function expireOrders(services: Services): Promise<number> {
  const lanes = await services.db.sql
    .selectFrom('lane')
    .innerJoin('orders', 'orders.order_key', 'lane.order_key')
    .select('lane.lane_id')
    .where('lane.state', '=', 'open')
    .where('lane.active_job', 'is', null)
    .where('orders.deadline_unix', '<=', nowUnix(services))
    .where(hasWaiting)
    .orderBy('lane.lane_id')
    .limit(100)
    .execute();
  return closeIdleLanes(services, lanes, 'STUN_JOB_EXPIRED', 'the order ended before the job was served', 'expired');
}

/** Ciphertexts of jobs that are over, and results, past their retention time. */
async function deleteAged(services: Services): Promise<{ payloadsDeleted: number; resultsDeleted: number }> {
  const { settings, db } = services;
  const payloads = await db.sql
    .deleteFrom('payload')
    .where('created_at_ms', '<=', services.nowMs() - settings.payloadRetentionSeconds * 1000)
    .where('job_id', 'in', (eb) =>
      eb.selectFrom('job').select('job.job_id').where('state', 'not in', ['queued', 'leased', 'running']),
    )
    .returning('job_id')
    .execute();
  const results = await db.sql
    .deleteFrom('result')
    .where('created_at_ms', '<=', services.nowMs() - settings.resultRetentionSeconds * 1000)
    .returning('job_id')
    .execute();
  if (payloads.length + results.length > 0) {
    services.log.info({ event: 'retention.deleted', payloads: payloads.length, results: results.length });
  }
  return { payloadsDeleted: payloads.length, resultsDeleted: results.length };
}

/** Challenges, sessions, idempotency keys and webhook deliveries past their time. */
async function deleteSpent(services: Services): Promise<void> {
  const { sql } = services.db;
  await sql.deleteFrom('challenge').where('expires_at_unix', '<', nowUnix(services)).execute();
  await sql.deleteFrom('credential').where('kind', '=', 'session').where('expires_at_ms', '<', services.nowMs()).execute();
  await sql
    .deleteFrom('idempotency')
    .where('created_at_ms', '<', services.nowMs() - IDEMPOTENCY_MS)
    .execute();
  await sql
    .deleteFrom('webhook_delivery')
    .where('created_at_ms', '<', services.nowMs() - services.settings.deliveryRetentionSeconds * 1000)
    .execute();
}
