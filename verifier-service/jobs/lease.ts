/** Gives jobs to workers: each lane strictly in order, one job of a lane at a time, for a limited time. docs/design.md section 5. */
import { randomUUID } from 'node:crypto';
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool } from 'kysely';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Tables } from '../db/schema.ts';
import { inUnit, type Services, type Unit } from '../services.ts';
import { closeIdleLanes, closeLane, moveJobs, type JobRow } from './transitions.ts';
import { enclaveTopic } from './wake.ts';

export type LeaseRow = Selectable<Tables['lease']>;
export type LaneRow = Selectable<Tables['lane']>;

/** A job in a worker's hands. */
export interface LeasedJob {
  readonly lease: LeaseRow;
  readonly job: JobRow;
  readonly order: Selectable<Tables['orders']>;
  readonly openingAvailable: boolean;
}

/** How often a sign of life is written, as a part of the silence after which an enclave counts as gone. */
const SEEN_PART = 20;

/** Says that a worker was here. @throws `STUN_ENCLAVE_UNKNOWN`, `STUN_ACCESS` */
export async function markSeen(
  services: Services,
  account: string,
  keysetDigest: string,
): Promise<Selectable<Tables['enclave']>> {
  const enclave = await services.db.sql
    .selectFrom('enclave')
    .selectAll()
    .where('keyset_digest', '=', keysetDigest)
    .executeTakeFirst();
  if (enclave === undefined || !enclave.listed) throw new StunError('STUN_ENCLAVE_UNKNOWN', 'the enclave is not listed here');
  if (enclave.provider !== account) throw new StunError('STUN_ACCESS', 'only the provider of the enclave may work for it');
  const nowMs = services.nowMs();
  if (nowMs - enclave.last_seen_at_ms >= (services.settings.enclaveGoneSeconds * 1000) / SEEN_PART) {
    await services.db.sql
      .updateTable('enclave')
      .set({ last_seen_at_ms: nowMs })
      .where('keyset_digest', '=', keysetDigest)
      .execute();
  }
  return enclave;
}

/** The next job for an enclave; waits up to `waitMs` for one. @returns undefined when none came */
export async function leaseJob(
  services: Services,
  account: string,
  keysetDigest: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<LeasedJob | undefined> {
  const until = services.nowMs() + waitMs;
  for (;;) {
    await markSeen(services, account, keysetDigest);
    await releaseExpired(services, keysetDigest);
    const armed = services.wake.arm(enclaveTopic(keysetDigest));
    const leased = await inUnit(services, (unit) => takeNext(services, unit, keysetDigest));
    const left = until - services.nowMs();
    if (leased !== undefined || left <= 0 || signal.aborted) {
      armed.cancel();
      return leased;
    }
    // dispatch.ts wakes this wait for work that came through other processes; it only ends by itself to give a sign of life.
    await armed.wait(Math.min(left, (services.settings.enclaveGoneSeconds * 1000) / SEEN_PART), signal);
  }
}

async function takeNext(services: Services, unit: Unit, keysetDigest: string): Promise<LeasedJob | undefined> {
  const lane = await unit.sql
    .selectFrom('job')
    .innerJoin('lane', (join) => join.onRef('lane.lane_id', '=', 'job.lane_id').onRef('lane.lease_k', '=', 'job.k'))
    .selectAll('lane')
    // From the few queued jobs to their lanes: an enclave may have any number of lanes in which nothing waits.
    .where('job.keyset_digest', '=', keysetDigest)
    .where('job.state', '=', 'queued')
    .where('lane.state', '=', 'open')
    .where('lane.active_job', 'is', null)
    // The lane that waits longest; its jobs keep their order whatever happens.
    .orderBy('job.created_at_ms')
    .limit(1)
    .forUpdate('lane')
    .skipLocked()
    .executeTakeFirst();
  if (lane === undefined) return undefined;
  const job = await unit.sql
    .selectFrom('job')
    .selectAll()
    .where('lane_id', '=', lane.lane_id)
    .where('k', '=', lane.lease_k)
    .executeTakeFirstOrThrow();
  const lease = await unit.sql
    .insertInto('lease')
    .values({
      lease_id: randomUUID(),
      job_id: job.job_id,
      provider: lane.provider,
      keyset_digest: keysetDigest,
      state: 'active',
      expires_at_ms: unit.nowMs + services.settings.leaseSeconds * 1000,
      created_at_ms: unit.nowMs,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await unit.sql.updateTable('lane').set({ active_job: job.job_id }).where('lane_id', '=', lane.lane_id).execute();
  await moveJobs(unit, lane.order_key, 'leased', [{ job, laneIndex: lane.lane_index }]);
  services.metrics.jobTransitions.inc({ state: 'leased' });
  const order = await unit.sql.selectFrom('orders').selectAll().where('order_key', '=', lane.order_key).executeTakeFirstOrThrow();
  const opening = await unit.sql
    .selectFrom('opening')
    .select('order_key')
    .where('order_key', '=', lane.order_key)
    .where('keyset_digest', '=', keysetDigest)
    .where('account', '=', lane.account)
    .executeTakeFirst();
  return { lease, job, order, openingAvailable: opening !== undefined };
}

/** A lease of a provider. @throws `STUN_LEASE` */
export async function leaseOf(db: { readonly sql: Kysely<Tables> }, account: string, leaseId: string): Promise<LeaseRow> {
  const lease = await db.sql.selectFrom('lease').selectAll().where('lease_id', '=', leaseId).executeTakeFirst();
  if (lease === undefined || lease.provider !== account) throw new StunError('STUN_LEASE', 'the provider has no such lease');
  return lease;
}

/** The lease while it runs. @throws `STUN_LEASE` */
export async function activeLease(
  db: { readonly sql: Kysely<Tables> },
  account: string,
  leaseId: string,
  nowMs: number,
): Promise<LeaseRow> {
  const lease = await leaseOf(db, account, leaseId);
  if (lease.state !== 'active' || lease.expires_at_ms <= nowMs) throw new StunError('STUN_LEASE', 'the lease has ended');
  return lease;
}

/** Prolongs a lease and says that its job runs. @throws `STUN_LEASE` */
export async function heartbeat(
  services: Services,
  account: string,
  leaseId: string,
): Promise<{ readonly expiresAtUnixMs: number }> {
  const lease = await inUnit(services, async (unit) => {
    const found = await activeLease(unit, account, leaseId, unit.nowMs);
    const { job, lane } = await jobWithLane(unit, found.job_id);
    const expires = unit.nowMs + services.settings.leaseSeconds * 1000;
    const kept = await unit.sql
      .updateTable('lease')
      .set({ expires_at_ms: expires })
      .where('lease_id', '=', leaseId)
      .where('state', '=', 'active')
      .returningAll()
      .executeTakeFirst();
    if (kept === undefined) throw new StunError('STUN_LEASE', 'the lease has ended');
    if (job.state === 'leased') await moveJobs(unit, job.order_key, 'running', [{ job, laneIndex: lane.lane_index }]);
    return kept;
  });
  await markSeen(services, account, lease.keyset_digest);
  return { expiresAtUnixMs: lease.expires_at_ms };
}

/**
 * A job and its lane, the lane locked. The one order of locks is lane, lease, budget, order: whoever wants several takes them so, and
 * no transaction holds two lanes, for their events wait for one order.
 */
export async function jobWithLane(unit: Unit, jobId: string): Promise<{ job: JobRow; lane: LaneRow }> {
  const lane = await unit.sql
    .selectFrom('lane')
    .selectAll()
    .where('lane_id', '=', (eb) => eb.selectFrom('job').select('job.lane_id').where('job.job_id', '=', jobId))
    .forUpdate()
    .executeTakeFirstOrThrow();
  const job = await unit.sql.selectFrom('job').selectAll().where('job_id', '=', jobId).executeTakeFirstOrThrow();
  return { job, lane };
}

/**
 * The worker refuses a job before anything is signed: it becomes void with the worker's code and closes its lane.
 * @throws `STUN_LEASE`
 */
export async function declineJob(
  services: Services,
  account: string,
  leaseId: string,
  code: string,
  reason: string,
): Promise<{ readonly voided: number }> {
  return inUnit(services, async (unit) => {
    const lease = await leaseOf(unit, account, leaseId);
    if (lease.state === 'declined') return { voided: 0 };
    const { job, lane } = await jobWithLane(unit, lease.job_id);
    await activeLease(unit, account, leaseId, unit.nowMs);
    await unit.sql.updateTable('lease').set({ state: 'declined' }).where('lease_id', '=', leaseId).execute();
    await unit.sql.updateTable('lane').set({ active_job: null }).where('lane_id', '=', lane.lane_id).execute();
    await moveJobs(unit, job.order_key, 'void', [{ job, laneIndex: lane.lane_index, change: { code, reason } }]);
    const others = await closeLane(unit, lane.lane_id, 'STUN_LANE_CLOSED', 'an earlier job of the lane was declined');
    services.metrics.jobTransitions.inc({ state: 'void' }, others + 1);
    return { voided: others + 1 };
  });
}

/** Gives jobs whose lease ran out back to the queue, of one enclave when it is named. @returns how many leases ended */
export async function releaseExpired(services: Services, keysetDigest?: string): Promise<number> {
  const expired = await services.db.sql
    .selectFrom('lease')
    .select(['lease_id', 'job_id'])
    .where('state', '=', 'active')
    .where('expires_at_ms', '<=', services.nowMs())
    .$if(keysetDigest !== undefined, (query) => query.where('keyset_digest', '=', keysetDigest ?? ''))
    .orderBy('lease_id')
    .limit(100)
    .execute();
  let ended = 0;
  for (const lease of expired) ended += (await inUnit(services, (unit) => releaseLease(unit, lease))) ? 1 : 0;
  return ended;
}

/** Ends one lease, if its time is still over once its lane is locked. @returns whether it was */
async function releaseLease(unit: Unit, lease: Pick<LeaseRow, 'lease_id' | 'job_id'>): Promise<boolean> {
  const { job, lane } = await jobWithLane(unit, lease.job_id);
  const ended = await unit.sql
    .updateTable('lease')
    .set({ state: 'expired' })
    .where('lease_id', '=', lease.lease_id)
    .where('state', '=', 'active')
    .where('expires_at_ms', '<=', unit.nowMs)
    .returning('lease_id')
    .executeTakeFirst();
  if (ended === undefined) return false;
  if (lane.active_job !== job.job_id || (job.state !== 'leased' && job.state !== 'running')) return true;
  await unit.sql.updateTable('lane').set({ active_job: null }).where('lane_id', '=', lane.lane_id).execute();
  const change = { leased_at_ms: null, running_at_ms: null };
  await moveJobs(unit, job.order_key, 'queued', [{ job, laneIndex: lane.lane_index, change }]);
  unit.wake(enclaveTopic(lane.keyset_digest));
  return true;
}

/** That a job is queued in the lane: sweeps look at the few queued jobs, never at all lanes. */
export function hasWaiting({ exists, selectFrom }: ExpressionBuilder<Tables, 'lane'>): Expression<SqlBool> {
  return exists(
    selectFrom('job').select('job.job_id').whereRef('job.lane_id', '=', 'lane.lane_id').where('job.state', '=', 'queued'),
  );
}

/**
 * Voids what waits for enclaves that are off the list or silent for too long. A service that was away itself waits as long again:
 * that nobody was seen meanwhile says nothing about the enclaves.
 * @returns how many jobs
 */
export async function releaseGone(services: Services): Promise<number> {
  const oldest = services.nowMs() - services.settings.enclaveGoneSeconds * 1000;
  const listening = services.startedAtMs <= oldest;
  const lanes = await services.db.sql
    .selectFrom('lane')
    .innerJoin('enclave', 'enclave.keyset_digest', 'lane.keyset_digest')
    .select('lane.lane_id')
    .where('lane.state', '=', 'open')
    .where('lane.active_job', 'is', null)
    .where((eb) => eb.or([eb('enclave.listed', '=', false), ...(listening ? [eb('enclave.last_seen_at_ms', '<', oldest)] : [])]))
    .where(hasWaiting)
    .orderBy('lane.lane_id')
    .limit(100)
    .execute();
  return closeIdleLanes(services, lanes, 'STUN_ENCLAVE_GONE', 'the enclave of the lane is gone');
}
