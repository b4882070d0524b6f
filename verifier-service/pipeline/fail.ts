/** Gives a segment up: its jobs stay where they are until the chain says that they settled or were refunded. */
import type { StunError } from '#protocol/errors/stun-error.ts';
import type { Unit } from '../services.ts';
import { segmentEvent } from './segments.ts';

/** Marks a segment as one that this service will not settle. The provider still can, with its own bundle. */
export async function failSegment(unit: Unit, segmentId: string, error: Pick<StunError, 'code' | 'message'>): Promise<void> {
  const segment = await unit.sql
    .updateTable('segment')
    .set({ state: 'failed', code: error.code, reason: error.message.slice(0, 500) })
    .where('segment_id', '=', segmentId)
    .where('state', 'in', ['batched', 'proven'])
    .returningAll()
    .executeTakeFirst();
  if (segment === undefined) return;
  await segmentEvent(unit, segment.order_key, segment.provider, segmentId, { state: 'failed', code: error.code });
}
