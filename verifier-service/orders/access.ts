/** Who may see what of an order: the funder all of it, a customer its own jobs, a provider its own work. */
import type { Selectable } from 'kysely';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Tables } from '../db/schema.ts';
import type { Services } from '../services.ts';

export type OrderRow = Selectable<Tables['orders']>;

/** How far an account sees into an order. */
export type OrderSight = 'all' | 'own';

/** The order and how far the account sees. @throws `STUN_NOT_FOUND` when it does not at all */
export async function visibleOrder(
  services: Services,
  account: string,
  orderKey: string,
): Promise<{ readonly order: OrderRow; readonly sight: OrderSight }> {
  const order = await services.db.sql.selectFrom('orders').selectAll().where('order_key', '=', orderKey).executeTakeFirst();
  if (order === undefined) throw new StunError('STUN_NOT_FOUND', 'there is no such order for this account');
  if (order.funder === account) return { order, sight: 'all' };
  const [member, work] = await Promise.all([
    services.db.sql
      .selectFrom('order_account')
      .select('account')
      .where('order_key', '=', orderKey)
      .where('account', '=', account)
      .executeTakeFirst(),
    services.db.sql
      .selectFrom('lane')
      .select('lane_id')
      .where('order_key', '=', orderKey)
      .where('provider', '=', account)
      .limit(1)
      .executeTakeFirst(),
  ]);
  if (member === undefined && work === undefined)
    throw new StunError('STUN_NOT_FOUND', 'there is no such order for this account');
  return { order, sight: 'own' };
}
