/** Takes back settlements whose blocks left the chain: their segments are sent again, with a new proof when the old one is gone. */
import { moveJobs } from '../jobs/transitions.ts';
import type { JobState } from '../jobs/states.ts';
import type { Services, Unit } from '../services.ts';
import { jobsOfSegment, segmentEvent } from './segments.ts';

/** Undoes all that was taken from blocks above one. @returns how many settlements */
export async function undoSettlements(services: Services, unit: Unit, above: number): Promise<number> {
  const gone = await unit.sql.deleteFrom('chain_settlement').where('block_number', '>', above).returningAll().execute();
  for (const settlement of gone) {
    services.metrics.settlements.inc({ result: 'undone' });
    const segment = await unit.sql
      .selectFrom('segment')
      .selectAll()
      .where('order_key', '=', settlement.order_key)
      .where('provider', '=', settlement.provider)
      .where('lane_index', '=', settlement.lane_index)
      .where('lane_new', '=', settlement.lane_new)
      .where('state', '=', 'settled')
      .forUpdate()
      .executeTakeFirst();
    if (segment === undefined) {
      await undoOwnSettlement(unit, settlement);
      continue;
    }
    const state = segment.proof === null ? 'batched' : 'proven';
    await unit.sql
      .updateTable('segment')
      .set({
        state,
        sent_key: null,
        sends: segment.sends + 1,
        transaction_hash: null,
        block_number: null,
        credited: null,
        fee: null,
        shortfall: null,
        batch_id: null,
        batch_state: null,
        settled_at_ms: null,
      })
      .where('segment_id', '=', segment.segment_id)
      .execute();
    const jobs = await jobsOfSegment(unit, segment.segment_id);
    const back = { settled_at_ms: null, ended_at_ms: null };
    const moved = jobs.map((job) => ({ job, laneIndex: segment.lane_index, change: { ...back, ...timesOf(job, state) } }));
    await moveJobs(unit, segment.order_key, state, moved);
    await segmentEvent(unit, segment.order_key, segment.provider, segment.segment_id, {
      state,
      why: 'the chain was re-organised',
    });
    await (state === 'proven' ? unit.queue.settle(unit.sql, segment.segment_id) : unit.queue.prove(unit.sql, segment.segment_id));
  }
  return gone.length;
}

/** The times that a job keeps when it goes back. */
function timesOf(job: { batched_at_ms: number | null; proven_at_ms: number | null }, state: JobState): object {
  return state === 'proven' ? { proven_at_ms: job.proven_at_ms } : { batched_at_ms: job.batched_at_ms };
}

/** A settlement that the provider had made itself, of jobs that were never batched here. */
async function undoOwnSettlement(
  unit: Unit,
  settlement: { order_key: string; lane_new: string; lane_old: string; lane_index: number },
): Promise<void> {
  const newest = await unit.sql
    .selectFrom('job')
    .select(['lane_id', 'k'])
    .where('job_id', '=', settlement.lane_new)
    .executeTakeFirst();
  if (newest === undefined) return;
  const oldest = await unit.sql.selectFrom('job').select('k').where('job_id', '=', settlement.lane_old).executeTakeFirst();
  const jobs = await unit.sql
    .selectFrom('job')
    .selectAll()
    .where('lane_id', '=', newest.lane_id)
    .where('k', '>', oldest?.k ?? 0)
    .where('k', '<=', newest.k)
    .where('state', '=', 'settled')
    .where('segment_id', 'is', null)
    .orderBy('k')
    .execute();
  const change = { settled_at_ms: null, ended_at_ms: null };
  await moveJobs(
    unit,
    settlement.order_key,
    'receipted',
    jobs.map((job) => ({ job, laneIndex: settlement.lane_index, change: { ...change, receipted_at_ms: job.receipted_at_ms } })),
  );
}
