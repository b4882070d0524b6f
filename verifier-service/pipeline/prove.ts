/** Proves a segment: the enclave's path from the chain as it is now, the proof, its verification, and the next task, stored together. */
import { asStunError, errorEntry } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import { enclaveLeafOf } from '#protocol/commitments.ts';
import { fieldToHex } from '#protocol/field.ts';
import { keysetDigestOf } from '#protocol/keyset.ts';
import { orderKeyOf, unpackPayee } from '#protocol/terms.ts';
import { settlementBundleFromWire, type SettlementBundle } from '#protocol/wire/settlement-bundle.ts';
import {
  DEFAULT_REFRESH_RULE,
  type SettlementProof,
  type SettlementProofTask,
  type SettlementProver,
} from '#prover/interface.ts';
import { moveJobs } from '../jobs/transitions.ts';
import type { ChainView } from '../ports.ts';
import { inUnit, type Services } from '../services.ts';
import { failSegment } from './fail.ts';
import type { Task } from './queue.ts';
import { familiesOf } from './settle.ts';
import { jobsOfSegment, segmentEvent } from './segments.ts';

/** Made by a machine or a neighbour that is not well, not by the segment. */
function isPassing(error: StunError): boolean {
  const { class: kind } = errorEntry(error.code);
  return kind === 'unavailable' || kind === 'internal' || kind === 'config' || error.code === 'STUN_PROOF_INVALID';
}

/** The handler of the prove queue. Throws what should be tried again. */
export async function proveSegment(services: Services, prover: SettlementProver, task: Task): Promise<void> {
  const segment = await services.db.sql.selectFrom('segment').selectAll().where('segment_id', '=', task.id).executeTakeFirst();
  if (segment === undefined || segment.state !== 'batched') return;
  const end = services.metrics.proofSeconds.startTimer();
  try {
    const bundle = settlementBundleFromWire(JSON.parse(segment.bundle));
    const proofTask = await proofTaskOf(services.chain, bundle, JSON.parse(segment.bundle));
    const proof = await prover.prove(proofTask, { signal: task.signal });
    const { signals } = await prover.verify(proof);
    assertSpeaksOf(segment, signals);
    end();
    await storeProof(services, task.id, proof, unpackPayee(signals.payee).validAtUnix);
  } catch (thrown) {
    const error = asStunError(thrown);
    services.metrics.proofFailures.inc({ code: error.code });
    if (isPassing(error)) throw error;
    await inUnit(services, (unit) => failSegment(unit, task.id, error));
  }
}

/** Finds the leaf of the bundle in its provider's tree as it is now. @throws `STUN_ENCLAVE_NOT_LIVE`, `STUN_CHAIN_*` */
export async function proofTaskOf(
  chain: ChainView,
  bundle: SettlementBundle,
  wire: SettlementProofTask['bundle'],
): Promise<SettlementProofTask> {
  const leaf = enclaveLeafOf(bundle.leaf);
  const { leafIndexes } = await chain.enclave(toHex(keysetDigestOf(bundle.keysetBytes)));
  for (const index of leafIndexes) {
    const found = await chain.path(bundle.provider, index);
    if (found.leaf !== leaf) continue;
    const siblings = found.path.siblings.map((sibling) => fieldToHex(sibling));
    const validAtUnix = await provableAtUnix(chain, bundle);
    return { bundle: wire, enclavePath: { root: fieldToHex(found.root), index, siblings }, validAtUnix };
  }
  throw new StunError('STUN_ENCLAVE_NOT_LIVE', 'the leaf of the segment is not in the tree of its provider any more');
}

/**
 * The time at which the leaf is proven live: the chain's own, which is never after the block that settles, or the last second of a leaf
 * that expired meanwhile. The escrow takes that one too as long as it is no older than any other may be; frozen time does not age it.
 */
async function provableAtUnix(chain: ChainView, { leaf, order, provider }: SettlementBundle): Promise<number> {
  const { timestampUnix } = await chain.newestBlock();
  const lastUnix = leaf.expiresAtUnix - 1;
  if (timestampUnix <= lastUnix) return timestampUnix;
  const families = await familiesOf(chain, orderKeyOf(order.place.funder, order.orderId), provider, order.terms);
  const ageSeconds = timestampUnix - lastUnix - (await chain.frozenSeconds(families, lastUnix));
  if (ageSeconds <= DEFAULT_REFRESH_RULE.maxAgeSeconds) return lastUnix;
  throw new StunError('STUN_ENCLAVE_NOT_LIVE', 'the leaf of the segment expired longer ago than a proof may be old');
}

/** A proof of another segment must not be stored under this one, whoever made it. */
function assertSpeaksOf(
  segment: { lane_old: string; lane_new: string; receipts_root: string; total: string },
  signals: { laneOld: bigint; laneNew: bigint; receiptsRoot: bigint; total: bigint },
): void {
  const same =
    fieldToHex(signals.laneOld) === segment.lane_old &&
    fieldToHex(signals.laneNew) === segment.lane_new &&
    fieldToHex(signals.receiptsRoot) === segment.receipts_root &&
    signals.total.toString() === segment.total;
  if (!same) throw new StunError('STUN_PROOF_INVALID', 'the prover answered with the proof of another segment');
}

async function storeProof(services: Services, segmentId: string, proof: SettlementProof, validAtUnix: number): Promise<void> {
  await inUnit(services, async (unit) => {
    const segment = await unit.sql
      .updateTable('segment')
      .set((eb) => ({
        state: 'proven',
        proof: JSON.stringify(proof),
        valid_at_unix: validAtUnix,
        proofs_made: eb('proofs_made', '+', 1),
        sent_key: null,
        proven_at_ms: unit.nowMs,
      }))
      .where('segment_id', '=', segmentId)
      .where('state', '=', 'batched')
      .returningAll()
      .executeTakeFirst();
    if (segment === undefined) return;
    const jobs = await jobsOfSegment(unit, segmentId);
    const batched = jobs.filter((job) => job.state === 'batched').map((job) => ({ job, laneIndex: segment.lane_index }));
    await moveJobs(unit, segment.order_key, 'proven', batched);
    await segmentEvent(unit, segment.order_key, segment.provider, segmentId, { state: 'proven' });
    await unit.queue.settle(unit.sql, segmentId);
    services.metrics.jobTransitions.inc({ state: 'proven' }, batched.length);
  });
}
