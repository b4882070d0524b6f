/** What time does: leases run out, enclaves go silent, orders end, rows reach their age. Each sweep is idempotent. */
import { hasWaiting, releaseExpired, releaseGone } from '../jobs/lease.ts';
import { closeIdleLanes } from '../jobs/transitions.ts';
import { nowUnix, type Services } from '../services.ts';
import { findLostTasks } from './lost-tasks.ts';
import { deleteAged } from './retention.ts';

/** Runs every sweep once. @returns whether there may be more to delete at once */
export async function sweep(services: Services): Promise<boolean> {
  await releaseExpired(services);
  await releaseGone(services);
  await expireOrders(services);
  const more = await deleteAged(services);
  await findLostTasks(services);
  return more;
}

/** Ends what waits under orders past their deadline. Leased jobs may still be completed: their provider is paid until the grace ends. */
async function expireOrders(services: Services): Promise<void> {
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
  await closeIdleLanes(services, lanes, 'STUN_JOB_EXPIRED', 'the order ended before the job was served', 'expired');
}
