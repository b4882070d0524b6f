/** What of a provider's budget is bound by unsettled jobs: the service's rough cover, stricter than nothing, looser than the worker. */
import { sql } from 'kysely';
import { StunError } from '#protocol/errors/stun-error.ts';
import { bindingStates } from '../jobs/states.ts';
import type { Services, Unit } from '../services.ts';

/** Reads a provider's budget from the chain and stores it. */
export async function refreshBudget(services: Services, orderKey: string, provider: string): Promise<void> {
  const budget = await services.chain.budget(orderKey, provider);
  const row = { remaining: budget.remaining.toString(), funded: budget.funded.toString() };
  await services.db.sql
    .insertInto('order_budget')
    .values({ order_key: orderKey, provider, refunded: false, ...row })
    .onConflict((conflict) => conflict.columns(['order_key', 'provider']).doUpdateSet(row))
    .execute();
}

/**
 * Checks that the budget covers all unsettled maxima of a demand key and one more.
 * Only jobs of the same demand key count: a stranger who names the order cannot use up its cover. The budget's row is locked until the
 * transaction ends, so that jobs that come at once, on lanes of two workers, are counted one after the other.
 * @param priceScale - token units per price unit
 * @throws `STUN_BUDGET`
 */
export async function assertCovered(
  unit: Unit,
  orderKey: string,
  provider: string,
  demandKey: string,
  maxPrice: bigint,
  priceScale: bigint,
): Promise<void> {
  const budget = await unit.sql
    .selectFrom('order_budget')
    .select('remaining')
    .where('order_key', '=', orderKey)
    .where('provider', '=', provider)
    .forUpdate()
    .executeTakeFirst();
  const { bound } = await unit.sql
    .selectFrom('job')
    .innerJoin('lane', 'lane.lane_id', 'job.lane_id')
    .select(sql<string>`coalesce(sum(job.max_price::numeric), 0)::text`.as('bound'))
    .where('job.order_key', '=', orderKey)
    .where('job.provider', '=', provider)
    .where('job.state', 'in', [...bindingStates])
    .where('lane.demand_key', '=', demandKey)
    .executeTakeFirstOrThrow();
  if ((BigInt(bound) + maxPrice) * priceScale > BigInt(budget?.remaining ?? '0')) {
    throw new StunError('STUN_BUDGET', 'the budget left for the provider does not cover all unsettled maximum prices');
  }
}
