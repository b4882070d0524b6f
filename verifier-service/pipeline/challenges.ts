/**
 * Watches the batches of challengeable orders until they are final: answers challenges with the proofs that came with the segment, and has the
 * provider paid when nobody can challenge any more. What stands on chain decides; only its end is noted here.
 */
import type { Selectable } from 'kysely';
import type { Hex } from '#protocol/bytes.ts';
import { publishedPairsOf } from '#protocol/terms.ts';
import { settlementBundleFromWire } from '#protocol/wire/settlement-bundle.ts';
import type { Tables } from '../db/schema.ts';
import type { SettlementSender } from '../ports.ts';
import { inUnit, type Services } from '../services.ts';
import { segmentEvent } from './segments.ts';

type Segment = Selectable<Tables['segment']>;

/** A refused attempt is made again after this long. */
const ATTEMPT_SECONDS = 3600;

/** Looks at every batch that is not final. @returns how many there are */
export async function watchBatches(services: Services, sender: SettlementSender): Promise<number> {
  const pending = await services.db.sql
    .selectFrom('segment')
    .selectAll()
    .where('batch_state', '=', 'pending')
    .where('state', '=', 'settled')
    .orderBy('segment_id')
    .execute();
  if (pending.length === 0) return 0;
  const { timestampUnix } = await services.chain.newestBlock();
  const attempt = String(Math.floor(timestampUnix / ATTEMPT_SECONDS));
  for (const segment of pending) {
    const batchId = segment.batch_id as Hex;
    const batch = await services.chain.batch(batchId);
    if (batch.state === 'paid' || batch.state === 'refunded') await end(services, segment, batch.state);
    else if (batch.openChallenges > 0) await answer(services, sender, segment, attempt);
    else if ((await services.chain.windowClosesAtUnix(batchId)) < timestampUnix) await sender.finalise(batchId, attempt);
  }
  return pending.length;
}

async function answer(services: Services, sender: SettlementSender, segment: Segment, attempt: string): Promise<void> {
  const { jobs } = settlementBundleFromWire(JSON.parse(segment.bundle));
  const batchId = segment.batch_id as Hex;
  const pairs = publishedPairsOf(
    jobs.map(({ demand, receipt }) => ({
      inputCommitment: demand.inputCommitment,
      outputCommitment: receipt.outputCommitment,
      price: receipt.price,
    })),
  );
  for (const [index, { inferenceProof }] of jobs.entries()) {
    if ((await services.chain.challenge(batchId, index)).state !== 'open') continue;
    if (inferenceProof === undefined) services.log.warn({ event: 'challenge.unanswerable', batchId, index });
    else await sender.answer({ batchId, index, pairs, proof: inferenceProof, attempt });
  }
}

async function end(services: Services, segment: Segment, state: 'paid' | 'refunded'): Promise<void> {
  await inUnit(services, async (unit) => {
    const ended = await unit.sql
      .updateTable('segment')
      .set({ batch_state: state })
      .where('segment_id', '=', segment.segment_id)
      .where('batch_state', '=', 'pending')
      .returning('segment_id')
      .executeTakeFirst();
    if (ended === undefined) return;
    const data = { state: 'settled', batchId: segment.batch_id, batch: state };
    await segmentEvent(unit, segment.order_key, segment.provider, segment.segment_id, data);
  });
}
