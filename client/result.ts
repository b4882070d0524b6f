/** Fetching results: wait, download, check the receipt against the own bytes, store, and only then believe. */
import {
  decodeTensors,
  isErrorCode,
  laneGenesisOf,
  receiptRecordFromWire,
  StunError,
  type ErrorCode,
  type NamedTensor,
  type Receipt,
} from '#protocol/index.ts';
import type { ClientConnection } from './connection.ts';
import { checkResult, type CheckedResult, type ReceiptContext } from './receipt-check.ts';
import type { ServiceJob } from './service-api.ts';
import type { JobPlace } from './store/lane-files.ts';
import type { StoredLane } from './store/lanes.ts';
import type { OrderRecord } from './store/order-record.ts';
import type { StoredJob } from './store/stored-job.ts';
import type { ReceiptedOutcome } from './store/stored-outcome.ts';
import { endLane } from './submit.ts';

/** States from which on there is a receipt. */
const RECEIPTED = new Set(['receipted', 'batched', 'proven', 'settled']);

/** Whether a job has a receipt, has ended without one, or neither yet; a refunded one has either. */
function progressOf({ state, outcome }: ServiceJob): 'receipted' | 'ended' | 'open' {
  if (RECEIPTED.has(state)) return 'receipted';
  if (state === 'refunded') return outcome === undefined ? 'ended' : 'receipted';
  return state === 'void' || state === 'expired' ? 'ended' : 'open';
}

/** A job with its verified result. */
export interface JobResult {
  readonly jobId: string;
  readonly order: OrderRecord;
  readonly lane: StoredLane;
  readonly job: StoredJob;
  readonly outcome: ReceiptedOutcome;
  readonly checked: CheckedResult;
  /** Decoded outputs of a served job. */
  readonly tensors: readonly NamedTensor[];
}

/** How long to wait, and how to be told to stop. */
export interface WaitOptions {
  /** 0 asks once. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Told when the job's state changes. */
  readonly onState?: (state: string) => void;
}

/**
 * The verified result of a job of this store.
 * @throws `STUN_JOB_NOT_STORED`, `STUN_JOB_PENDING` (also when the wait is interrupted), `STUN_JOB_VOIDED` (details.cause names why), the codes of checkResult
 */
export async function fetchResult(client: ClientConnection, jobId: string, wait: WaitOptions): Promise<JobResult> {
  const found = await client.store.lanes.find(await client.store.orders.keys(), jobId);
  const order = await client.store.orders.read(found.record.orderKey);
  const job = await found.files.job(found.place);
  const stored = await found.files.outcome(jobId);
  if (stored?.kind === 'void') throw voided(stored.code, stored.reason);
  const context = await receiptContext(order, found, job);
  if (stored !== undefined) return opened(order, found, job, stored, context);
  await waitForReceipt(client, order, found, job, wait);
  const outcome = await download(client, found, jobId, context);
  const kept = await found.files.addOutcome(jobId, outcome);
  if (kept.kind === 'void') throw voided(kept.code, kept.reason);
  return opened(order, found, job, kept, context);
}

function voided(code: ErrorCode, reason: string): StunError {
  return new StunError('STUN_JOB_VOIDED', `${code}: ${reason}`, { details: { cause: code } });
}

async function opened(
  order: OrderRecord,
  lane: StoredLane,
  job: StoredJob,
  outcome: ReceiptedOutcome,
  context: ReceiptContext,
): Promise<JobResult> {
  const checked = await checkResult(outcome.record, outcome.sealedResult, context);
  const tensors = checked.status === 'served' ? decodeTensors(checked.payload) : [];
  return { jobId: job.jobId, order, lane, job, outcome, checked, tensors };
}

/** What this client knows of the lane up to a job. */
export async function receiptContext(order: OrderRecord, lane: StoredLane, job: StoredJob): Promise<ReceiptContext> {
  const { laneIndex, provider, keyset } = lane.record;
  const heads = [laneGenesisOf({ orderId: order.orderId, provider, laneIndex })];
  const earlier = new Map<number, Receipt>();
  for (const { k, jobId } of await lane.files.jobs()) {
    if (k > job.header.k) break;
    heads.push(BigInt(jobId));
    if (k === job.header.k || k <= job.header.k - order.terms.segmentLength) continue;
    const outcome = await lane.files.outcome(jobId);
    if (outcome?.kind === 'receipted') earlier.set(k, outcome.record.receipt);
  }
  return { order, keyset, job, heads, earlier };
}

async function download(
  client: ClientConnection,
  lane: StoredLane,
  jobId: string,
  context: ReceiptContext,
): Promise<ReceiptedOutcome> {
  const [sealedResult, answer] = await Promise.all([client.service.result(jobId), client.service.receipt(jobId)]);
  if (answer.keysetDigest !== lane.record.keysetDigest) {
    throw new StunError('STUN_KEYSET_SWAPPED', 'the service names another enclave for the receipt than the job was sealed to');
  }
  const record = receiptRecordFromWire(answer.record);
  await checkResult(record, sealedResult, context);
  return { kind: 'receipted', record, sealedResult, seenAtUnix: client.nowUnix() };
}

const POLL_MS = 1000;

/** Waits until the service says that there is a receipt. @throws `STUN_JOB_PENDING`, `STUN_JOB_VOIDED` */
async function waitForReceipt(
  client: ClientConnection,
  order: OrderRecord,
  lane: StoredLane & { readonly place: JobPlace },
  job: StoredJob,
  wait: WaitOptions,
): Promise<void> {
  const until = Date.now() + wait.timeoutMs;
  let last = '';
  for (;;) {
    const seen = await client.service.job(job.jobId);
    const state = seen?.state ?? 'unsent';
    if (state !== last) wait.onState?.(state);
    last = state;
    const progress = seen === undefined ? 'open' : progressOf(seen);
    if (progress === 'receipted') return;
    if (progress === 'ended') throw await recordVoid(client, lane, job, seen!);
    const leftMs = until - Date.now();
    if (leftMs <= 0) {
      throw new StunError('STUN_JOB_PENDING', `the job is ${state}`, { details: { state } });
    }
    await nextMove(client, job.jobId, state, Math.min(leftMs, 15_000), wait.signal);
    if (wait.signal?.aborted === true) {
      throw new StunError('STUN_JOB_PENDING', `the wait was interrupted, the job is ${state}`, { details: { state } });
    }
  }
}

/** Waits for an event of the job, at most `limitMs`; where events do not work, for a poll interval. */
async function nextMove(
  client: ClientConnection,
  jobId: string,
  seenState: string,
  limitMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([AbortSignal.timeout(limitMs), ...(signal === undefined ? [] : [signal])]);
  const started = Date.now();
  try {
    await client.service.jobEvent(jobId, seenState, limit);
  } catch {
    // Aborted, or a service without events: the caller sees the one, asking again serves the other.
  }
  // A stream that ends at once must not become a busy loop.
  const restMs = Math.min(POLL_MS, limitMs) - (Date.now() - started);
  if (restMs > 0 && !limit.aborted) await new Promise((resolve) => setTimeout(resolve, Math.min(restMs, 100)));
}

/** Keeps that a job ended without a receipt, and that its lane takes no more. */
async function recordVoid(
  client: ClientConnection,
  lane: StoredLane & { readonly place: JobPlace },
  job: StoredJob,
  seen: ServiceJob,
): Promise<StunError> {
  const code = typeof seen.code === 'string' && isErrorCode(seen.code) ? seen.code : 'STUN_JOB_VOIDED';
  const reason = (seen.reason ?? `the job is ${seen.state}`).slice(0, 300);
  await endLane(lane.files, job, new StunError(code, reason), client.nowUnix());
  return voided(code, reason);
}
