/**
 * Watches the chain: settlements, refunds, closings and top-ups in confirmed blocks move jobs and orders. The hashes of the blocks read
 * last are kept; when one is gone, everything above the last common block is undone and read again.
 */
import { sql } from 'kysely';
import { fieldToHex } from '#protocol/field.ts';
import { batchIdOf } from '#chain/court.ts';
import type { Settled } from '#chain/escrow-events.ts';
import { ASSURANCE, assuranceNameOf } from '#protocol/terms.ts';
import type { TermsWire } from '#protocol/wire/order.ts';
import { moveJobs } from '../jobs/transitions.ts';
import { bindingStates } from '../jobs/states.ts';
import { refreshBudget } from '../orders/budget.ts';
import { inUnit, type Services, type Unit } from '../services.ts';
import { segmentEvent } from './segments.ts';
import { undoSettlements } from './undo.ts';

const MAX_BLOCKS = 2000;
const KEPT_BLOCKS = 256;
/** The project's own number of the lock under which one process observes at a time. */
const OBSERVER_LOCK = 5783214002;

/** Reads the next confirmed blocks. @returns whether there may be more */
export async function observeChain(services: Services): Promise<boolean> {
  const { chain, settings } = services;
  const last = (await newestKept(services)) ?? { number: chain.deployBlock - 1, hash: undefined };
  const isGone = async (): Promise<boolean> => last.hash !== undefined && (await chain.block(last.number))?.hash !== last.hash;
  if (await isGone()) {
    await rewind(services);
    return true;
  }
  const newest = await chain.newestBlock();
  const to = Math.min(newest.number - settings.confirmations + 1, last.number + MAX_BLOCKS);
  if (to <= last.number) return false;
  const from = last.number + 1;
  const before = await chain.block(to);
  const [settlements, refunds, closings, topUps] = await Promise.all([
    chain.settlements(from, to),
    chain.refunds(from, to),
    chain.closings(from, to),
    chain.topUps(from, to),
  ]);
  // Events of one chain only: when the last block changed meanwhile, all of it is read again.
  const after = await chain.block(to);
  if (before === undefined || after?.hash !== before.hash) return true;
  // And of the chain that the kept block is on: the re-organisation may have come after the first look at it.
  if (await isGone()) return true;
  const touched = new Map<string, { orderKey: string; provider: string }>();
  await inUnit(services, async (unit) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(OBSERVER_LOCK)})`.execute(unit.sql);
    const current = await unit.sql
      .selectFrom('chain_block')
      .select((eb) => eb.fn.max('number').as('number'))
      .executeTakeFirst();
    if ((current?.number ?? chain.deployBlock - 1) !== last.number) return;
    for (const settled of settlements) {
      touched.set(`${settled.orderKey}/${settled.provider}`, settled);
      await applySettlement(services, unit, settled);
    }
    for (const refund of refunds) {
      touched.set(`${refund.orderKey}/${refund.provider}`, refund);
      await applyRefund(services, unit, refund.orderKey, refund.provider);
    }
    for (const topUp of topUps) touched.set(`${topUp.orderKey}/${topUp.provider}`, topUp);
    for (const { orderKey, deadlineUnix } of closings) {
      await unit.sql.updateTable('orders').set({ deadline_unix: deadlineUnix }).where('order_key', '=', orderKey).execute();
      await unit.sql.updateTable('opening').set({ expires_at_unix: deadlineUnix }).where('order_key', '=', orderKey).execute();
    }
    await unit.sql.insertInto('chain_block').values({ number: to, hash: before.hash }).execute();
    await unit.sql
      .deleteFrom('chain_block')
      .where('number', '<', to - KEPT_BLOCKS * 10)
      .execute();
  });
  for (const { orderKey, provider } of touched.values()) {
    if (await isKnown(services, orderKey)) await refreshBudget(services, orderKey, provider);
  }
  return to < newest.number - settings.confirmations + 1;
}

async function newestKept(services: Services): Promise<{ number: number; hash: string } | undefined> {
  return services.db.sql.selectFrom('chain_block').selectAll().orderBy('number', 'desc').limit(1).executeTakeFirst();
}

async function isKnown(services: Services, orderKey: string): Promise<boolean> {
  const row = await services.db.sql.selectFrom('orders').select('order_key').where('order_key', '=', orderKey).executeTakeFirst();
  return row !== undefined;
}

/** Goes back to the newest kept block that is still on the chain. */
async function rewind(services: Services): Promise<void> {
  services.metrics.reorganisations.inc();
  const kept = await services.db.sql.selectFrom('chain_block').selectAll().orderBy('number', 'desc').execute();
  let common = services.chain.deployBlock - 1;
  for (const block of kept) {
    if ((await services.chain.block(block.number))?.hash === block.hash) {
      common = block.number;
      break;
    }
  }
  services.log.warn({ event: 'chain.reorganised', commonBlock: common });
  await inUnit(services, async (unit) => {
    await undoSettlements(services, unit, common);
    await unit.sql.deleteFrom('chain_block').where('number', '>', common).execute();
  });
}

/** A confirmed settlement: its segment, and every receipted job of the lane up to the new head. */
async function applySettlement(services: Services, unit: Unit, settled: Settled): Promise<void> {
  const order = await unit.sql.selectFrom('orders').select('terms').where('order_key', '=', settled.orderKey).executeTakeFirst();
  if (order === undefined) return;
  const laneNew = fieldToHex(settled.laneNew);
  const { place } = settled;
  const figures = {
    credited: settled.credited.toString(),
    fee: settled.fee.toString(),
    shortfall: settled.shortfall.toString(),
  };
  const inserted = await unit.sql
    .insertInto('chain_settlement')
    .values({
      transaction_hash: place.transactionHash,
      log_index: place.logIndex,
      block_number: place.blockNumber,
      order_key: settled.orderKey,
      provider: settled.provider,
      lane_index: settled.laneIndex,
      lane_old: fieldToHex(settled.laneOld),
      lane_new: laneNew,
      receipts_root: fieldToHex(settled.receiptsRoot),
      total: settled.total.toString(),
      ...figures,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('log_index')
    .executeTakeFirst();
  if (inserted === undefined) return;
  const segment = await unit.sql
    .updateTable('segment')
    .set({
      ...figures,
      ...batchOf(order.terms, settled),
      state: 'settled',
      transaction_hash: place.transactionHash,
      block_number: place.blockNumber,
      settled_at_ms: unit.nowMs,
      code: null,
      reason: null,
    })
    .where('order_key', '=', settled.orderKey)
    .where('provider', '=', settled.provider)
    .where('lane_index', '=', settled.laneIndex)
    .where('lane_new', '=', laneNew)
    .where('state', '!=', 'settled')
    .returningAll()
    .executeTakeFirst();
  const newest = await unit.sql.selectFrom('job').select(['lane_id', 'k']).where('job_id', '=', laneNew).executeTakeFirst();
  if (newest !== undefined) {
    const jobs = await unit.sql
      .selectFrom('job')
      .selectAll()
      .where('lane_id', '=', newest.lane_id)
      .where('k', '<=', newest.k)
      .where('state', 'in', ['receipted', 'batched', 'proven'])
      .orderBy('k')
      .execute();
    await moveJobs(
      unit,
      settled.orderKey,
      'settled',
      jobs.map((job) => ({ job, laneIndex: settled.laneIndex })),
    );
    services.metrics.jobTransitions.inc({ state: 'settled' }, jobs.length);
  }
  services.metrics.settlements.inc({ result: 'settled' });
  const level = assuranceNameOf((JSON.parse(order.terms) as TermsWire).assurance);
  if (level !== undefined) services.metrics.settledByLevel.inc({ level });
  await sendNext(unit, settled, laneNew);
  if (segment === undefined) return;
  const data = { state: 'settled', transactionHash: place.transactionHash, blockNumber: place.blockNumber, ...figures };
  await segmentEvent(unit, settled.orderKey, settled.provider, segment.segment_id, data);
}

/** The batch that a settlement of a challengeable order opened; one that pays nothing has none. */
function batchOf(terms: string, settled: Settled): { batch_id?: string; batch_state?: 'pending' } {
  const { assurance } = JSON.parse(terms) as TermsWire;
  if (assurance !== ASSURANCE.challengeable || settled.credited + settled.fee === 0n) return {};
  return { batch_id: batchIdOf(settled), batch_state: 'pending' };
}

/** The segment that waited for this one is tried at once; its own task would come back only after its pause. */
async function sendNext(unit: Unit, settled: Settled, laneNew: string): Promise<void> {
  const next = await unit.sql
    .selectFrom('segment')
    .select('segment_id')
    .where('order_key', '=', settled.orderKey)
    .where('provider', '=', settled.provider)
    .where('lane_index', '=', settled.laneIndex)
    .where('lane_old', '=', laneNew)
    .where('state', '=', 'proven')
    .where('sent_key', 'is', null)
    .executeTakeFirst();
  if (next !== undefined) await unit.queue.settle(unit.sql, next.segment_id);
}

/** A confirmed refund: what has not settled of the provider's work in the order never will. */
async function applyRefund(services: Services, unit: Unit, orderKey: string, provider: string): Promise<void> {
  const jobs = await unit.sql
    .selectFrom('job')
    .innerJoin('lane', 'lane.lane_id', 'job.lane_id')
    .selectAll('job')
    .select('lane.lane_index')
    .where('job.order_key', '=', orderKey)
    .where('job.provider', '=', provider)
    .where('job.state', 'in', [...bindingStates, 'expired'])
    .orderBy('job.lane_id')
    .orderBy('job.k')
    .execute();
  const moved = jobs.map(({ lane_index: laneIndex, ...job }) => ({
    job,
    laneIndex,
    change:
      job.record === null
        ? { code: 'STUN_JOB_EXPIRED', reason: 'the order ended before the job was served' }
        : { code: 'STUN_JOB_REFUNDED', reason: 'the budget was refunded before the job settled' },
  }));
  await moveJobs(unit, orderKey, 'refunded', moved);
  services.metrics.jobTransitions.inc({ state: 'refunded' }, moved.length);
  await unit.sql
    .updateTable('lane')
    .set({ state: 'closed', close_code: 'STUN_JOB_REFUNDED', active_job: null })
    .where('order_key', '=', orderKey)
    .where('provider', '=', provider)
    .execute();
  await unit.sql
    .updateTable('segment')
    .set({ state: 'refunded', code: 'STUN_JOB_REFUNDED', reason: 'the budget was refunded before the segment settled' })
    .where('order_key', '=', orderKey)
    .where('provider', '=', provider)
    .where('state', '!=', 'settled')
    .execute();
  await unit.sql
    .updateTable('order_budget')
    .set({ refunded: true })
    .where('order_key', '=', orderKey)
    .where('provider', '=', provider)
    .execute();
}
