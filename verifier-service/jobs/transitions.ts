/** Moves jobs between states: the one place that writes `job.state`, always with its event, always in the caller's transaction. */
import type { Selectable, Updateable } from 'kysely';
import type { Tables } from '../db/schema.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { inUnit, type Services, type Unit } from '../services.ts';
import { appendEvents, type JobEventData } from './events.ts';
import { followers, isFinal, type JobState } from './states.ts';

/** A job as it is stored. */
export type JobRow = Selectable<Tables['job']>;

const timeOf = {
  leased: 'leased_at_ms',
  running: 'running_at_ms',
  receipted: 'receipted_at_ms',
  batched: 'batched_at_ms',
  proven: 'proven_at_ms',
  settled: 'settled_at_ms',
} as const satisfies Partial<Record<JobState, keyof Tables['job']>>;

/** What changes besides the state. */
export type JobChange = Omit<Updateable<Tables['job']>, 'state' | 'job_id'>;

/** A job with the index of its lane, which its events carry. */
export interface MovedJob {
  readonly job: JobRow;
  readonly laneIndex: number;
  readonly change?: JobChange;
}

/**
 * Moves jobs of one order to a state.
 * @throws `STUN_JOB_STATE` when one of them is in a state that the new one cannot follow; nothing is moved then
 */
export async function moveJobs(unit: Unit, orderKey: string, to: JobState, jobs: readonly MovedJob[]): Promise<void> {
  const events = [];
  for (const { job, laneIndex, change = {} } of jobs) {
    const allowed = (Object.keys(followers) as JobState[]).filter((state) => followers[state].includes(to));
    const timed = to in timeOf ? { [timeOf[to as keyof typeof timeOf]]: unit.nowMs } : {};
    const ended = { ended_at_ms: isFinal(to) ? unit.nowMs : null };
    const moved = await unit.sql
      .updateTable('job')
      .set({ ...timed, ...ended, ...change, state: to })
      .where('job_id', '=', job.job_id)
      .where('state', 'in', allowed)
      .returningAll()
      .executeTakeFirst();
    if (moved === undefined) {
      throw new StunError('STUN_JOB_STATE', `a job that is ${job.state} cannot become ${to}`, { details: { state: job.state } });
    }
    events.push({
      type: 'job' as const,
      account: moved.account,
      provider: moved.provider,
      jobId: moved.job_id,
      segmentId: moved.segment_id,
      data: jobEvent(moved, laneIndex, unit.nowMs),
    });
  }
  await appendEvents(unit, orderKey, events);
}

/** What an event says of a job. */
export function jobEvent(job: JobRow, laneIndex: number, atUnixMs: number): JobEventData {
  return {
    jobId: job.job_id,
    laneIndex,
    k: job.k,
    state: job.state,
    ...(job.outcome === null ? {} : { outcome: job.outcome }),
    ...(job.code === null ? {} : { code: job.code }),
    ...(job.reason === null ? {} : { reason: job.reason }),
    atUnixMs,
  };
}

/**
 * Closes a lane and voids what waits in it.
 * @param code - what each waiting job becomes void with
 */
export async function closeLane(
  unit: Unit,
  laneId: string,
  code: string,
  reason: string,
  to: 'void' | 'expired' = 'void',
): Promise<number> {
  const lane = await unit.sql
    .updateTable('lane')
    .set({ state: 'closed', close_code: code })
    .where('lane_id', '=', laneId)
    .returningAll()
    .executeTakeFirstOrThrow();
  const waiting = await unit.sql
    .selectFrom('job')
    .selectAll()
    .where('lane_id', '=', laneId)
    .where('state', '=', 'queued')
    .orderBy('k')
    .execute();
  const moved = waiting.map((job) => ({ job, laneIndex: lane.lane_index, change: { code, reason } }));
  await moveJobs(unit, lane.order_key, to, moved);
  return moved.length;
}

/**
 * Closes lanes in which no job is leased, each in a transaction of its own: two lanes of one order in one transaction could wait for
 * each other's order.
 * @returns how many jobs ended
 */
export async function closeIdleLanes(
  services: Services,
  lanes: readonly { readonly lane_id: string }[],
  code: string,
  reason: string,
  to: 'void' | 'expired' = 'void',
): Promise<number> {
  let ended = 0;
  for (const { lane_id: laneId } of lanes) {
    ended += await inUnit(services, async (unit) => {
      const idle = await unit.sql
        .selectFrom('lane')
        .select('lane_id')
        .where('lane_id', '=', laneId)
        .where('state', '=', 'open')
        .where('active_job', 'is', null)
        .forUpdate()
        .executeTakeFirst();
      return idle === undefined ? 0 : closeLane(unit, laneId, code, reason, to);
    });
  }
  if (ended > 0) services.metrics.jobTransitions.inc({ state: to }, ended);
  return ended;
}
