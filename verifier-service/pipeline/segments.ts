/** Takes closed segments: the bundle proves itself, its jobs are the ones that were receipted here. Then a proof is queued. */
import { createHash } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { receiptHashOf } from '#protocol/receipt.ts';
import { ASSURANCE, orderKeyOf } from '#protocol/terms.ts';
import { receiptRecordFromWire } from '#protocol/wire/receipt.ts';
import {
  inferenceProofsOf,
  laneOldOf,
  settlementBundleFromWire,
  type SettlementBundle,
  type SettlementBundleWire,
} from '#protocol/wire/settlement-bundle.ts';
import { appendEvents } from '../jobs/events.ts';
import { moveJobs, type JobRow } from '../jobs/transitions.ts';
import { inUnit, type Services, type Unit } from '../services.ts';

/**
 * Takes a segment of the account's. The identical bundle gives the same segment again.
 * @throws the codes of settlementBundleFromWire, `STUN_ACCESS`, `STUN_ORDER_UNKNOWN`, `STUN_SEGMENT`, `STUN_SEGMENT_PROOF`, `STUN_SEGMENT_CONFLICT`,
 *   `STUN_RECEIPT_MISMATCH`
 */
export async function acceptSegment(
  services: Services,
  account: string,
  wire: SettlementBundleWire,
): Promise<{ readonly segmentId: string; readonly state: string; readonly created: boolean }> {
  const bundle = settlementBundleFromWire(wire);
  // Settling wants a proof for each paid job; a challenge may never come, and a provider that cannot answer one loses its stake.
  if (bundle.order.terms.assurance === ASSURANCE.proven) inferenceProofsOf(bundle);
  if (bundle.provider !== account) throw new StunError('STUN_ACCESS', 'only the provider of a segment may hand it over');
  const text = JSON.stringify(wire);
  const bundleSha256 = createHash('sha256').update(text).digest('hex');
  return inUnit(services, (unit) => store(services, unit, bundle, text, bundleSha256));
}

async function store(
  services: Services,
  unit: Unit,
  bundle: SettlementBundle,
  text: string,
  bundleSha256: string,
): Promise<{ readonly segmentId: string; readonly state: string; readonly created: boolean }> {
  const orderKey = orderKeyOf(bundle.order.place.funder, bundle.order.orderId);
  const { x, y } = bundle.order.opening.demandKey;
  const lane = await unit.sql
    .selectFrom('lane')
    .selectAll()
    .where('order_key', '=', orderKey)
    .where('provider', '=', bundle.provider)
    .where('lane_index', '=', bundle.laneIndex)
    .where('demand_key', '=', fieldToHex(x) + fieldToHex(y).slice(2))
    .forUpdate()
    .executeTakeFirst();
  if (lane === undefined) throw new StunError('STUN_SEGMENT', 'the lane of the segment is unknown here');
  const before = await unit.sql
    .selectFrom('segment')
    .select(['segment_id', 'state', 'bundle_sha256'])
    .where('lane_id', '=', lane.lane_id)
    .where('first_k', '=', bundle.firstK)
    .executeTakeFirst();
  if (before !== undefined) {
    if (before.bundle_sha256 !== bundleSha256)
      throw new StunError('STUN_SEGMENT_CONFLICT', 'the segment exists with other content');
    return { segmentId: before.segment_id, state: before.state, created: false };
  }
  const jobs = await receiptedJobs(unit, lane.lane_id, bundle);
  const segmentId = createHash('sha256').update(`${lane.lane_id}/${bundle.firstK}`).digest('hex').slice(0, 32);
  await unit.sql
    .insertInto('segment')
    .values({
      segment_id: segmentId,
      lane_id: lane.lane_id,
      order_key: orderKey,
      provider: bundle.provider,
      lane_index: bundle.laneIndex,
      first_k: bundle.firstK,
      count: bundle.jobs.length,
      bundle: text,
      bundle_sha256: bundleSha256,
      lane_old: fieldToHex(laneOldOf(bundle)),
      lane_new: fieldToHex(bundle.statement.toHead),
      receipts_root: fieldToHex(bundle.statement.receiptsRoot),
      total: bundle.statement.total.toString(),
      state: 'batched',
      proofs_made: 0,
      sends: 0,
      created_at_ms: unit.nowMs,
      look_at_ms: nextLookMs(unit.nowMs, 0),
    })
    .execute();
  await moveJobs(
    unit,
    orderKey,
    'batched',
    jobs.map((job, i) => ({ job, laneIndex: lane.lane_index, change: { segment_id: segmentId, segment_index: i } })),
  );
  await segmentEvent(unit, orderKey, bundle.provider, segmentId, { state: 'batched', count: jobs.length });
  await unit.queue.prove(unit.sql, segmentId);
  services.metrics.jobTransitions.inc({ state: 'batched' }, jobs.length);
  return { segmentId, state: 'batched', created: true };
}

/** The jobs of a bundle as they were receipted here, in order. */
async function receiptedJobs(unit: Unit, laneId: string, bundle: SettlementBundle): Promise<readonly JobRow[]> {
  const jobs = await unit.sql
    .selectFrom('job')
    .selectAll()
    .where('lane_id', '=', laneId)
    .where('k', '>=', bundle.firstK)
    .where('k', '<', bundle.firstK + bundle.jobs.length)
    .orderBy('k')
    .execute();
  for (const [i, { receipt }] of bundle.jobs.entries()) {
    const job = jobs[i];
    if (job?.record === undefined || job.record === null) {
      throw new StunError('STUN_SEGMENT', `job ${bundle.firstK + i} of the lane has no receipt here; complete it first`);
    }
    if (receiptHashOf(receiptRecordFromWire(JSON.parse(job.record)).receipt) !== receiptHashOf(receipt)) {
      throw new StunError('STUN_RECEIPT_MISMATCH', `the receipt of job ${bundle.firstK + i} is not the one that was handed over`);
    }
  }
  return jobs;
}

/** A segment is looked at this long after it came or was looked at; twice as long for each task that it lost. */
const LOOK_MS = 600_000;
const MOST_DOUBLINGS = 8;

/** When a segment is looked at next. @param lostTasks - how many tasks of it were gone so far */
export function nextLookMs(nowMs: number, lostTasks: number): number {
  return nowMs + LOOK_MS * 2 ** Math.min(lostTasks, MOST_DOUBLINGS);
}

/** Appends the event of a segment. */
export async function segmentEvent(
  unit: Unit,
  orderKey: string,
  provider: string,
  segmentId: string,
  data: { readonly state: string; readonly [key: string]: unknown },
): Promise<void> {
  const event = { type: 'settlement' as const, account: null, provider, jobId: null, segmentId };
  await appendEvents(unit, orderKey, [{ ...event, data: { segmentId, ...data, atUnixMs: unit.nowMs } }]);
}

/** The jobs of a segment in order. */
export function jobsOfSegment(unit: Unit, segmentId: string): Promise<JobRow[]> {
  return unit.sql.selectFrom('job').selectAll().where('segment_id', '=', segmentId).orderBy('segment_index').execute();
}
