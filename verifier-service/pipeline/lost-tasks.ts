/**
 * Puts segments back whose task is gone: it was tried as often as the queue tries, waited longer than the queue keeps what waits, or was
 * deleted. Without a task a segment would stay where it is for ever, and its provider unpaid by this service.
 */
import type { Selectable } from 'kysely';
import type { Tables } from '../db/schema.ts';
import { inUnit, type Services } from '../services.ts';
import { failSegment } from './fail.ts';
import { nextLookMs } from './segments.ts';

type Segment = Pick<Selectable<Tables['segment']>, 'segment_id' | 'state' | 'lost_tasks' | 'order_key' | 'provider'>;

const BATCH = 200;

/**
 * Looks at the segments whose time has come. One without a task gets another, or is given up with `STUN_ORDER_CLOSED` when the escrow
 * takes nothing for its order any more.
 * @returns how many had lost their task
 */
export async function findLostTasks(services: Services): Promise<number> {
  const due: readonly Segment[] = await services.db.sql
    .selectFrom('segment')
    .select(['segment_id', 'state', 'lost_tasks', 'order_key', 'provider'])
    .where('state', 'in', ['batched', 'proven'])
    .where('sent_key', 'is', null)
    .where('look_at_ms', '<=', services.nowMs())
    .orderBy('look_at_ms')
    .limit(BATCH)
    .execute();
  if (due.length === 0) return 0;
  const withTask = await services.queue.withTask(due.map((segment) => segment.segment_id));
  let lost = 0;
  for (const segment of due) {
    const isLost = !withTask.has(segment.segment_id);
    if (isLost) lost++;
    await look(services, segment, isLost);
  }
  return lost;
}

async function look(services: Services, segment: Segment, isLost: boolean): Promise<void> {
  const { segment_id: segmentId, state, order_key: orderKey, provider } = segment;
  const closed = isLost && (await isClosed(services, orderKey, provider));
  const lostTasks = segment.lost_tasks + (isLost ? 1 : 0);
  if (isLost) services.log.warn({ event: 'segment.task_lost', segmentId, state, lostTasks, closed });
  await inUnit(services, async (unit) => {
    const seen = await unit.sql
      .updateTable('segment')
      .set({ lost_tasks: lostTasks, look_at_ms: nextLookMs(unit.nowMs, lostTasks) })
      .where('segment_id', '=', segmentId)
      .where('state', '=', state)
      .where('sent_key', 'is', null)
      .returning('segment_id')
      .executeTakeFirst();
    if (seen === undefined || !isLost) return;
    if (closed) {
      const message = 'the escrow takes nothing for the order any more, and the segment had not been sent';
      await failSegment(unit, segmentId, { code: 'STUN_ORDER_CLOSED', message });
    } else await (state === 'batched' ? unit.queue.prove(unit.sql, segmentId) : unit.queue.settle(unit.sql, segmentId));
  });
}

/** Whether the escrow takes nothing more. A segment that it took before is settled whatever stands here, as soon as observe.ts has read it. */
async function isClosed({ chain }: Services, orderKey: string, provider: string): Promise<boolean> {
  const { timestampUnix } = await chain.newestBlock();
  return timestampUnix > (await chain.settleableUntilUnix(orderKey, provider));
}
