/**
 * The durable events of an order, numbered without gaps. The number is taken under the order's row lock, so that events become
 * visible in the order of their numbers.
 */
import type { JobOutcome, JobState } from './states.ts';
import type { Unit } from '../services.ts';
import { orderTopic } from './wake.ts';
import { queueWebhooks } from '../webhooks/enqueue.ts';

/** An event before it has a number. */
export interface NewEvent {
  readonly type: 'job' | 'settlement';
  /** The account whose job it is; null for what concerns the provider's segment. */
  readonly account: string | null;
  readonly provider: string;
  readonly jobId: string | null;
  readonly segmentId: string | null;
  readonly data: object;
}

/** What a job event says. */
export interface JobEventData {
  readonly jobId: string;
  readonly laneIndex: number;
  readonly k: number;
  readonly state: JobState;
  readonly outcome?: JobOutcome;
  readonly code?: string;
  readonly reason?: string;
  readonly atUnixMs: number;
}

/** Appends events of one order in the open transaction. */
export async function appendEvents(unit: Unit, orderKey: string, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const { event_seq: last, funder } = await unit.sql
    .updateTable('orders')
    .set((eb) => ({ event_seq: eb('event_seq', '+', events.length) }))
    .where('order_key', '=', orderKey)
    .returning(['event_seq', 'funder'])
    .executeTakeFirstOrThrow();
  const rows = events.map((event, i) => ({
    order_key: orderKey,
    seq: last - events.length + 1 + i,
    type: event.type,
    account: event.account,
    provider: event.provider,
    job_id: event.jobId,
    segment_id: event.segmentId,
    data: JSON.stringify(event.data),
    created_at_ms: unit.nowMs,
  }));
  await unit.sql.insertInto('event').values(rows).execute();
  await queueWebhooks(unit, funder, rows);
  unit.wake(orderTopic(orderKey));
}
