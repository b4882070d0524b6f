/**
 * Sending voided jobs again: the same payloads, committed anew, on a new lane to another enclave. If the first enclave was merely slow
 * and its receipts still settle, both are paid, up to the signed maxima; callers tell their user so.
 */
import { MAX_PRICE, StunError, type ErrorCode } from '#protocol/index.ts';
import { chooseEnclave, type EnclaveWish } from './choose-enclave.ts';
import type { ClientConnection } from './connection.ts';
import type { LaneFiles } from './store/lane-files.ts';
import type { OrderRecord } from './store/order-record.ts';
import type { StoredJob } from './store/stored-job.ts';
import { openLane, sendNew, sendUnsent, type OnSubmitted, type SubmittedJob } from './submit.ts';

/** A job that was sent again. */
export interface ResubmittedJob {
  /** The voided job. */
  readonly replaces: string;
  readonly cause: ErrorCode;
  readonly submitted: SubmittedJob;
}

interface VoidedJob {
  readonly job: StoredJob;
  readonly cause: ErrorCode;
}

/**
 * Sends every voided job of an order again that has no successor yet. Safe to repeat: a job that stands in for another says so in its file.
 * @param onlyJobs - the jobs to send again; all voided ones when not given
 * @throws as submitJobs; `STUN_INPUT` when a named job is not voided
 */
export async function resubmitJobs(
  client: ClientConnection,
  order: OrderRecord,
  wish: Omit<EnclaveWish, 'maxPrice'> = {},
  onlyJobs?: readonly string[],
  onSubmitted: OnSubmitted = () => undefined,
): Promise<ResubmittedJob[]> {
  const open = await openVoids(client, order, onlyJobs);
  if (open.length === 0) return [];
  const maxPrice = open.reduce((least, { job }) => (job.header.maxPrice < least ? job.header.maxPrice : least), MAX_PRICE);
  const { lane: enclave } = await chooseEnclave(client, order, { ...wish, maxPrice });
  const lane = await openLane(client, order, enclave);
  try {
    await sendUnsent(client, lane, onSubmitted);
    const done: ResubmittedJob[] = [];
    for (const { job, cause } of open) {
      const wanted = { payload: job.payload, maxPrice: job.header.maxPrice, replaces: job.jobId };
      done.push({ replaces: job.jobId, cause, submitted: await sendNew(client, lane, wanted, onSubmitted) });
    }
    return done;
  } finally {
    await lane.close();
  }
}

/** Voided jobs without a stored successor, in lane order. */
async function openVoids(client: ClientConnection, order: OrderRecord, onlyJobs?: readonly string[]): Promise<VoidedJob[]> {
  const voids: VoidedJob[] = [];
  const replaced = new Set<string>();
  for (const { files } of await client.store.lanes.ofOrder(order.orderKey)) {
    for (const place of await files.jobs()) {
      const job = await files.job(place);
      if (job.replaces !== undefined) replaced.add(job.replaces);
      const cause = await voidCause(files, job);
      if (cause !== undefined) voids.push({ job, cause });
    }
  }
  for (const wanted of onlyJobs ?? []) {
    if (!voids.some(({ job }) => job.jobId === wanted)) throw new StunError('STUN_INPUT', `job ${wanted} is not voided`);
  }
  return voids.filter(({ job }) => !replaced.has(job.jobId) && (onlyJobs === undefined || onlyJobs.includes(job.jobId)));
}

async function voidCause(files: LaneFiles, job: StoredJob): Promise<ErrorCode | undefined> {
  const outcome = await files.outcome(job.jobId);
  return outcome?.kind === 'void' ? outcome.code : undefined;
}
