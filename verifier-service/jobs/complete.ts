/**
 * Takes a worker's receipt and sealed result, in one transaction. The receipt is the evidence: when it verifies, it is taken even from a
 * lease that ran out meanwhile and for a job that was given up, for what the enclave signed can settle whatever the service thinks; until the
 * budget is refunded, when nothing can settle any more.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { deliveryDigestOf } from '#protocol/commitments.ts';
import { fieldFromHex, fieldToHex } from '#protocol/field.ts';
import { parseKeyset } from '#protocol/keyset.ts';
import { assertStatementCovers, type Receipt } from '#protocol/receipt.ts';
import { laneGenesisOf } from '#protocol/demand.ts';
import { parseEnvelope } from '#protocol/sealing/envelope.ts';

import {
  receiptRecordFromWire,
  verifyReceiptRecord,
  type ReceiptRecord,
  type ReceiptRecordWire,
} from '#protocol/wire/receipt.ts';
import { inUnit, type Services, type Unit } from '../services.ts';
import { RESULT_HEAD_LENGTH } from './envelopes.ts';
import { jobWithLane, leaseOf, type LaneRow } from './lease.ts';
import { moveJobs, type JobRow } from './transitions.ts';
import { enclaveTopic } from './wake.ts';

/** What a completion says. */
export interface Completed {
  readonly jobId: string;
  readonly state: string;
}

/**
 * Completes a job. The identical receipt gives the same answer again.
 * @throws `STUN_LEASE`, `STUN_JOB_STATE`, `STUN_JOB_REFUNDED`, `STUN_JOB_CONFLICT`, `STUN_ENVELOPE_LAYOUT`, `STUN_SIGNATURE`, `STUN_RECEIPT_MISMATCH`,
 *   `STUN_STATEMENT_MISMATCH`, `STUN_PRICE_CAP`
 */
export async function completeJob(
  services: Services,
  account: string,
  leaseId: string,
  wire: ReceiptRecordWire,
  sealed: Uint8Array,
): Promise<Completed> {
  const record = receiptRecordFromWire(wire);
  parseEnvelope('result', RESULT_HEAD_LENGTH, sealed);
  return inUnit(services, async (unit) => {
    const lease = await leaseOf(unit, account, leaseId);
    const { job, lane } = await jobWithLane(unit, lease.job_id);
    if (job.record !== null) {
      if (job.record !== JSON.stringify(wire)) throw new StunError('STUN_JOB_CONFLICT', 'the job has another receipt');
      return { jobId: job.job_id, state: job.state };
    }
    if (lane.close_code === 'STUN_JOB_REFUNDED') {
      throw new StunError('STUN_JOB_REFUNDED', 'the budget was refunded before the receipt came');
    }
    if (job.k !== lane.lease_k) {
      throw new StunError('STUN_JOB_STATE', `job ${lane.lease_k} of the lane must be completed first`, {
        details: { state: job.state },
      });
    }
    await assertRecord(unit, job, lane, record, sealed, services.chain.escrow);
    const { receipt } = record;
    const change = {
      record: JSON.stringify(wire),
      outcome: receipt.status,
      price: receipt.price.toString(),
      code: null,
      reason: null,
    };
    await moveJobs(unit, job.order_key, 'receipted', [{ job, laneIndex: lane.lane_index, change }]);
    await unit.sql.insertInto('result').values({ job_id: job.job_id, sealed, created_at_ms: unit.nowMs }).execute();
    await unit.sql.updateTable('lease').set({ state: 'completed' }).where('lease_id', '=', leaseId).execute();
    // Another lease of the same job, taken after this one ran out, ends with it.
    await unit.sql
      .updateTable('lease')
      .set({ state: 'expired' })
      .where('job_id', '=', job.job_id)
      .where('state', '=', 'active')
      .execute();
    await unit.sql
      .updateTable('lane')
      .set({ active_job: null, lease_k: job.k + 1 })
      .where('lane_id', '=', lane.lane_id)
      .execute();
    unit.wake(enclaveTopic(lane.keyset_digest));
    services.metrics.jobTransitions.inc({ state: 'receipted' });
    return { jobId: job.job_id, state: 'receipted' };
  });
}

async function assertRecord(
  unit: Unit,
  job: JobRow,
  lane: LaneRow,
  record: ReceiptRecord,
  sealed: Uint8Array,
  escrow: string,
): Promise<void> {
  const { keyset } = await unit.sql
    .selectFrom('enclave')
    .select('keyset')
    .where('keyset_digest', '=', lane.keyset_digest)
    .executeTakeFirstOrThrow();
  verifyReceiptRecord(record, parseKeyset(keyset), escrow);
  const { receipt } = record;
  const mismatch = (field: string, reason: string): never => {
    throw new StunError('STUN_RECEIPT_MISMATCH', reason, { details: { field } });
  };
  if (fieldToHex(receipt.demandHead) !== job.job_id) mismatch('demandHead', 'the receipt is for another job');
  if (receipt.deliveryDigest !== deliveryDigestOf(sealed))
    mismatch('deliveryDigest', 'the sealed result is not the receipted one');
  if (receipt.price > BigInt(job.max_price))
    throw new StunError('STUN_PRICE_CAP', 'the receipt charges more than the demand allows');
  assertStatementCovers(record.statement, [...(await segmentBefore(unit, job, lane, record)), receipt]);
}

/** The receipts since the segment boundary that the statement names. */
async function segmentBefore(unit: Unit, job: JobRow, lane: LaneRow, record: ReceiptRecord): Promise<readonly Receipt[]> {
  const { statement } = record;
  const first = job.k - statement.count + 1;
  const rows = await unit.sql
    .selectFrom('job')
    .select(['job_id', 'k', 'record'])
    .where('lane_id', '=', lane.lane_id)
    .where('k', '>=', first - 1)
    .where('k', '<', job.k)
    .orderBy('k')
    .execute();
  const boundary = rows.find((row) => row.k === first - 1);
  const header = JSON.parse(job.header) as { orderId: string };
  const genesis = { orderId: fieldFromHex(header.orderId), provider: lane.provider, laneIndex: lane.lane_index };
  const expected = first === 1 ? laneGenesisOf(genesis) : boundary === undefined ? undefined : fieldFromHex(boundary.job_id);
  const within = rows.filter((row) => row.k >= first);
  if (expected !== statement.fromHead || within.length !== statement.count - 1) {
    throw new StunError('STUN_STATEMENT_MISMATCH', 'the statement does not start at a head of this lane', {
      details: { field: 'fromHead' },
    });
  }
  return within.map((row) => {
    if (row.record === null) throw new StunError('STUN_STATEMENT_MISMATCH', 'the statement covers a job without a receipt');
    return receiptRecordFromWire(JSON.parse(row.record)).receipt;
  });
}
