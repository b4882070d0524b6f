/**
 * Sends proven segments, lane by lane in order, and follows what becomes of them. That a segment is settled is said by the chain alone
 * (observe.ts); here a refusal is turned into a newer proof, another attempt, or an end.
 */
import type { Selectable } from 'kysely';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldFromHex, fieldToHex } from '#protocol/field.ts';
import { ASSURANCE, SETTLEMENT_SIGNALS, unpackPayee, type Terms } from '#protocol/terms.ts';
import { inferenceProofsOf, settlementBundleFromWire, type SettlementBundle } from '#protocol/wire/settlement-bundle.ts';
import { freshnessOf, settlementProofSchema, type SettlementProof } from '#prover/interface.ts';
import type { Tables } from '../db/schema.ts';
import { moveJobs } from '../jobs/transitions.ts';
import type { ChainView, SettlementSender } from '../ports.ts';
import { inUnit, type Services } from '../services.ts';
import { failSegment } from './fail.ts';
import type { Task } from './queue.ts';
import { jobsOfSegment, segmentEvent } from './segments.ts';

type Segment = Selectable<Tables['segment']>;

const MAX_AHEAD_SECONDS = 120;
/** Refusals that a newer proof cures. */
const aged: readonly ErrorCode[] = ['STUN_SETTLE_ROOT', 'STUN_SETTLE_STALE'];
/** Refusals that pass by themselves. */
const passing: readonly ErrorCode[] = [
  'STUN_FAMILY_FROZEN',
  'STUN_SETTLE_LANE_MOVED',
  'STUN_SETTLE_FUTURE',
  'STUN_STAKE_TOO_LOW',
];

/** The handler of the settle queue: hands a proven segment to the sender, once its turn has come. Throws to be asked again. */
export async function sendSegment(services: Services, sender: SettlementSender, task: Task): Promise<void> {
  const segment = await segmentOf(services, task.id);
  if (segment === undefined || segment.state !== 'proven' || segment.sent_key !== null) return;
  const { chain } = services;
  const proof = proofOf(segment);
  const lane = await chain.lane(segment.order_key, segment.provider, segment.lane_index);
  if (lane === fieldFromHex(segment.lane_new)) return;
  if (lane !== fieldFromHex(segment.lane_old)) {
    throw new StunError('STUN_SETTLE_LANE_MOVED', 'an earlier segment of the lane has to settle first');
  }
  const { order, jobs } = settlementBundleFromWire(JSON.parse(segment.bundle));
  const { assurance } = order.terms;
  const families = await familiesOf(chain, segment.order_key, segment.provider, order.terms);
  const obstacle = await obstacleTo(services, segment, order, families);
  if (obstacle !== undefined) {
    services.log.info({ event: 'settlement.waiting', segmentId: segment.segment_id, code: obstacle });
    await inUnit(services, (unit) => unit.queue.settle(unit.sql, segment.segment_id, task.waits));
    return;
  }
  if (!(await isFresh(services, segment, proof, families))) {
    await proveAgain(services, segment, 'the proof aged before it was sent');
    return;
  }
  const { funder } = order.place;
  const answers = assurance === ASSURANCE.proven ? inferenceProofsOf({ jobs }).filter((one) => one !== undefined) : [];
  // The key is stored before the sender knows it: a crash in between submits the same key again.
  const key = `settle/${segment.segment_id}/${segment.sends}`;
  await sender.submit({ key, funder, orderKey: segment.order_key, proof, assurance, answers });
  await services.db.sql
    .updateTable('segment')
    .set({ sent_key: key })
    .where('segment_id', '=', segment.segment_id)
    .where('state', '=', 'proven')
    .execute();
}

/** The families whose freezes stop a provider's settlements, and with them the clocks of proofs and roots. */
export async function familiesOf(
  chain: ChainView,
  orderKey: string,
  provider: string,
  terms: Pick<Terms, 'assurance' | 'inferenceFamily'>,
): Promise<readonly string[]> {
  const family = await chain.familyFor(orderKey, provider);
  return terms.assurance === ASSURANCE.proven ? [family, terms.inferenceFamily] : [family];
}

/** Looks after the segments that were sent. @returns how many are under way */
export async function followSegments(services: Services, sender: SettlementSender): Promise<number> {
  const sent = await services.db.sql
    .selectFrom('segment')
    .selectAll()
    .where('state', '=', 'proven')
    .where('sent_key', 'is not', null)
    .orderBy('segment_id')
    .limit(500)
    .execute();
  for (const segment of sent) {
    const outcome = await sender.outcome(segment.sent_key ?? '');
    // The sender knows nothing of the key: its store was lost or put back.
    if (outcome === undefined) await sendAgain(services, segment);
    if (outcome?.state === 'done') await sendAgainIfUndone(services, segment);
    if (outcome?.state !== 'refused') continue;
    services.metrics.settlements.inc({ result: 'refused' });
    services.log.warn({ event: 'settlement.refused', segmentId: segment.segment_id, code: outcome.code });
    if (aged.includes(outcome.code)) await proveAgain(services, segment, outcome.code);
    else if (passing.includes(outcome.code)) await sendAgain(services, segment);
    else await inUnit(services, (unit) => failSegment(unit, segment.segment_id, { code: outcome.code, message: outcome.reason }));
  }
  return sent.length;
}

async function segmentOf(services: Services, segmentId: string): Promise<Segment | undefined> {
  return services.db.sql.selectFrom('segment').selectAll().where('segment_id', '=', segmentId).executeTakeFirst();
}

function proofOf(segment: Segment): SettlementProof {
  return settlementProofSchema.parse(JSON.parse(segment.proof ?? 'null'));
}

/**
 * What keeps the escrow from taking any proof of the segment now and passes by itself. The proof is kept meanwhile and nothing is handed
 * to the sender: frozen time does not age a proof, and every attempt would be stored.
 */
async function obstacleTo(
  { chain }: Services,
  segment: Segment,
  { terms, place }: SettlementBundle['order'],
  families: readonly string[],
): Promise<ErrorCode | undefined> {
  for (const family of families) if (await chain.isFrozen(family)) return 'STUN_FAMILY_FROZEN';
  // A batch that pays nothing reserves no stake.
  if (terms.assurance !== ASSURANCE.challengeable || BigInt(segment.total) === 0n) return undefined;
  const { remaining } = await chain.budget(segment.order_key, segment.provider);
  if (remaining === 0n || (await chain.availableStake(place.token, segment.provider)) >= terms.slash) return undefined;
  return 'STUN_STAKE_TOO_LOW';
}

async function isFresh(
  services: Services,
  segment: Segment,
  proof: SettlementProof,
  families: readonly string[],
): Promise<boolean> {
  const { timestampUnix } = await services.chain.newestBlock();
  const signal = (name: (typeof SETTLEMENT_SIGNALS)[number]): bigint =>
    fieldFromHex(proof.signals[SETTLEMENT_SIGNALS.indexOf(name)] ?? '', name);
  const root = signal('enclaveRoot');
  const liveRoots = (await services.chain.isLiveRoot(segment.provider, root, families)) ? [fieldToHex(root)] : [];
  // A time slightly ahead comes from a block that left the chain; it passes while the transaction is on its way.
  const { validAtUnix } = unpackPayee(signal('payee'));
  const isSlightlyAhead = validAtUnix > timestampUnix && validAtUnix <= timestampUnix + MAX_AHEAD_SECONDS;
  const frozenSeconds = await services.chain.frozenSeconds(families, validAtUnix);
  return freshnessOf(proof, { nowUnix: isSlightlyAhead ? validAtUnix : timestampUnix, frozenSeconds, liveRoots }) === 'fresh';
}

/** Takes a segment back to be proved with the path and the time of now; gives it up when that has been done too often. */
export async function proveAgain(services: Services, segment: Segment, why: string): Promise<void> {
  await inUnit(services, async (unit) => {
    if (segment.proofs_made >= services.settings.maxProofsPerSegment) {
      const message = `${segment.proofs_made} proofs were made and none was taken: ${why}`;
      await failSegment(unit, segment.segment_id, { code: 'STUN_SEGMENT_FAILED', message });
      return;
    }
    const taken = await unit.sql
      .updateTable('segment')
      .set({ state: 'batched', proof: null, valid_at_unix: null, sent_key: null, sends: segment.sends + 1, proven_at_ms: null })
      .where('segment_id', '=', segment.segment_id)
      .where('state', '=', 'proven')
      .returning('segment_id')
      .executeTakeFirst();
    if (taken === undefined) return;
    const jobs = await jobsOfSegment(unit, segment.segment_id);
    const proven = jobs.filter((job) => job.state === 'proven');
    await moveJobs(
      unit,
      segment.order_key,
      'batched',
      proven.map((job) => ({
        job,
        laneIndex: segment.lane_index,
        change: { proven_at_ms: null, batched_at_ms: job.batched_at_ms },
      })),
    );
    await segmentEvent(unit, segment.order_key, segment.provider, segment.segment_id, { state: 'batched', why });
    await unit.queue.prove(unit.sql, segment.segment_id);
  });
}

/**
 * The sender looks at a block no more once it is final under its policy. When that block left the chain before observe.ts had read
 * it, nothing is there to be taken back: the settlement is gone and only the lane tells. Then it is sent again.
 */
async function sendAgainIfUndone(services: Services, segment: Segment): Promise<void> {
  const lane = await services.chain.lane(segment.order_key, segment.provider, segment.lane_index);
  if (lane !== fieldFromHex(segment.lane_old)) return;
  services.log.warn({ event: 'settlement.undone', segmentId: segment.segment_id });
  services.metrics.settlements.inc({ result: 'undone' });
  await sendAgain(services, segment);
}

async function sendAgain(services: Services, segment: Segment): Promise<void> {
  await inUnit(services, async (unit) => {
    const taken = await unit.sql
      .updateTable('segment')
      .set({ sent_key: null, sends: segment.sends + 1 })
      .where('segment_id', '=', segment.segment_id)
      .where('state', '=', 'proven')
      .where('sent_key', '=', segment.sent_key)
      .returning('segment_id')
      .executeTakeFirst();
    if (taken !== undefined) await unit.queue.settle(unit.sql, segment.segment_id, segment.sends);
  });
}
