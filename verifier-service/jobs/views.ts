/** What accounts get to see of jobs. */
import { z } from 'zod';
import type { Selectable } from 'kysely';
import { StunError } from '#protocol/errors/stun-error.ts';
import { addressHex, bytes32Hex, decimal } from '#protocol/wire/scalars.ts';
import type { Tables } from '../db/schema.ts';
import type { Services } from '../services.ts';
import { jobOutcomeSchema, jobStateSchema } from './states.ts';

const timeMs = z.int().min(0).optional();

export const jobSchema = z
  .strictObject({
    jobId: bytes32Hex,
    orderKey: bytes32Hex,
    provider: addressHex,
    keysetDigest: bytes32Hex,
    laneIndex: z.int(),
    k: z.int(),
    state: jobStateSchema,
    outcome: jobOutcomeSchema.optional().meta({ description: 'How the enclave ended the job, from its receipt' }),
    code: z.string().optional(),
    reason: z.string().optional(),
    maxPrice: decimal,
    price: decimal.optional(),
    segmentId: z.string().optional(),
    envelopeBytes: z.int(),
    createdAtUnixMs: z.int(),
    leasedAtUnixMs: timeMs,
    runningAtUnixMs: timeMs,
    receiptedAtUnixMs: timeMs,
    batchedAtUnixMs: timeMs,
    provenAtUnixMs: timeMs,
    settledAtUnixMs: timeMs,
    endedAtUnixMs: timeMs,
  })
  .meta({ id: 'Job' });
export type JobView = z.infer<typeof jobSchema>;

/** A job with the index of its lane. */
export type JobWithLane = Selectable<Tables['job']> & { readonly lane_index: number };

const present = <K extends string, T>(key: K, value: T | null): Partial<Record<K, T>> =>
  value === null ? {} : ({ [key]: value } as Record<K, T>);

/** A job as it is shown. */
export function jobView(job: JobWithLane): JobView {
  return {
    jobId: job.job_id,
    orderKey: job.order_key,
    provider: job.provider,
    keysetDigest: job.keyset_digest,
    laneIndex: job.lane_index,
    k: job.k,
    state: job.state,
    ...present('outcome', job.outcome),
    ...present('code', job.code),
    ...present('reason', job.reason),
    maxPrice: job.max_price,
    ...present('price', job.price),
    ...present('segmentId', job.segment_id),
    envelopeBytes: job.envelope_bytes,
    createdAtUnixMs: job.created_at_ms,
    ...present('leasedAtUnixMs', job.leased_at_ms),
    ...present('runningAtUnixMs', job.running_at_ms),
    ...present('receiptedAtUnixMs', job.receipted_at_ms),
    ...present('batchedAtUnixMs', job.batched_at_ms),
    ...present('provenAtUnixMs', job.proven_at_ms),
    ...present('settledAtUnixMs', job.settled_at_ms),
    ...present('endedAtUnixMs', job.ended_at_ms),
  };
}

/** A job that the account may see: its own, of an order it funds, or its work as provider. @throws `STUN_NOT_FOUND` */
export async function visibleJob(services: Services, account: string, jobId: string): Promise<JobWithLane> {
  const found = await services.db.sql
    .selectFrom('job')
    .innerJoin('lane', 'lane.lane_id', 'job.lane_id')
    .innerJoin('orders', 'orders.order_key', 'job.order_key')
    .selectAll('job')
    .select(['lane.lane_index', 'orders.funder'])
    .where('job.job_id', '=', jobId)
    .executeTakeFirst();
  if (found === undefined || ![found.account, found.provider, found.funder].includes(account)) {
    throw new StunError('STUN_NOT_FOUND', 'there is no such job for this account');
  }
  return found;
}
