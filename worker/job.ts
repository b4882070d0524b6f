/**
 * One job from lease to stored receipt. Order of events: decide, decrypt, run, commit, seal, sign, store; and only then does
 * anything leave. docs/design.md section 7.
 */
import {
  asStunError,
  decodeRequestData,
  deliveryDigestOf,
  encodeResultData,
  fieldToHex,
  headOfHeader,
  jobHeaderFromWire,
  receiptRecordToWire,
  sealResult,
  StunError,
  type ErrorCode,
  type Hex,
  type JobHeader,
  type JobStatus,
  type OpenedRequest,
  type Receipt,
  type ReceiptRecord,
  type ReceiptRecordWire,
  type RequestData,
} from '#protocol/index.ts';
import { admit, isRefusal, type AdmittedJob, type OpeningSource } from './admission.ts';
import type { Enclave } from './enclave.ts';
import { execute } from './execution.ts';
import { laneKeyOf } from './lane.ts';
import type { JobEntry } from './store.ts';

/** A job as it is leased; the payload and the opening are fetched only when they are needed. */
export interface LeasedJob {
  readonly leaseId: string;
  /** Wire form of the header. */
  readonly header: unknown;
  readonly payload: () => Promise<Uint8Array>;
  readonly opening: OpeningSource;
}

/** What becomes of a job. */
export type JobOutcome =
  | {
      readonly kind: 'receipted';
      readonly jobId: Hex;
      /** The lane, as laneKeyOf names it. */
      readonly laneKey: string;
      readonly status: JobStatus;
      /** Why it failed. */
      readonly code?: ErrorCode;
      readonly record: ReceiptRecordWire;
      readonly sealedResult: Uint8Array;
      /** Whether its segment is full and closed. */
      readonly segmentClosed: boolean;
    }
  | { readonly kind: 'declined'; readonly code: ErrorCode; readonly reason: string };

/**
 * Serves one job.
 * @returns a stored receipt with its sealed result, or a refusal with nothing signed
 * @throws `STUN_CHAIN_*`, `STUN_WORKER_SERVICE` (try again), `STUN_WORKER_STORE` (stop): the lane has not moved
 */
export async function processJob(enclave: Enclave, leased: LeasedJob): Promise<JobOutcome> {
  try {
    const header = jobHeaderFromWire(leased.header);
    const jobId = fieldToHex(headOfHeader(header));
    const before = answeredBefore(enclave, header);
    if (before !== undefined) return before;
    // Leased a second time while it runs under a lease that has run out: to decline it now would void what is about to be receipted.
    const running = runningOf(enclave);
    const outcome = running.get(jobId) ?? admitAndServe(enclave, leased, header).finally(() => running.delete(jobId));
    running.set(jobId, outcome);
    return await outcome;
  } catch (thrown) {
    const error = asStunError(thrown);
    if (!isRefusal(error)) throw error;
    return { kind: 'declined', code: error.code, reason: error.message };
  }
}

/** Jobs that run now, by demand head. */
const runningJobs = new WeakMap<Enclave, Map<string, Promise<JobOutcome>>>();

function runningOf(enclave: Enclave): Map<string, Promise<JobOutcome>> {
  const known = runningJobs.get(enclave) ?? new Map<string, Promise<JobOutcome>>();
  runningJobs.set(enclave, known);
  return known;
}

async function admitAndServe(enclave: Enclave, leased: LeasedJob, header: JobHeader): Promise<JobOutcome> {
  const job = await admit(enclave, header, leased.opening);
  try {
    return await serve(enclave, leased, header, job);
  } finally {
    job.release();
  }
}

/** The stored answer to a demand, so that a repeated lease gets the same bytes. */
function answeredBefore(enclave: Enclave, header: JobHeader): JobOutcome | undefined {
  const answered = enclave.store.answeredJob(fieldToHex(headOfHeader(header)));
  if (answered === undefined) return undefined;
  const { jobId, record, sealedResult } = answered;
  return {
    kind: 'receipted',
    jobId,
    laneKey: laneKeyOf(header),
    status: record.receipt.status,
    record,
    sealedResult,
    segmentClosed: false,
  };
}

async function serve(enclave: Enclave, leased: LeasedJob, header: JobHeader, job: AdmittedJob): Promise<JobOutcome> {
  const startedAtUnix = enclave.nowUnix();
  // A ciphertext that does not open has no key to answer under: it is declined, not failed.
  const binding = { orderId: header.orderId, provider: header.provider, demandHead: job.head };
  const opened = await enclave.keys.openRequest(binding, await leased.payload());
  const request = decodeRequestData(opened.data);
  opened.data.fill(0);
  const execution = await execute(job.offer, header, request, enclave.alterOutput);
  const sealedResult = await seal(opened, job.head, request, execution.payload);
  const receipt: Receipt = {
    demandHead: job.head,
    outputCommitment: execution.outputCommitment,
    price: execution.status === 'served' ? job.price : 0n,
    deliveryDigest: deliveryDigestOf(sealedResult),
    status: execution.status,
    startedAtUnix,
    finishedAtUnix: Math.max(startedAtUnix, enclave.nowUnix()),
  };
  // No proof of a lie exists.
  const proving = job.proofs === undefined || enclave.alterOutput !== undefined ? undefined : execution.inference;
  const entry = { leaseId: leased.leaseId, header, sealedResult, owesProof: proving !== undefined };
  const { record, segmentClosed } = signAndStore(enclave, entry, job, receipt);
  if (proving !== undefined) job.proofs?.start(fieldToHex(job.head), laneKeyOf(header), proving);
  return {
    kind: 'receipted',
    jobId: fieldToHex(job.head),
    laneKey: laneKeyOf(header),
    status: execution.status,
    ...(execution.code === undefined ? {} : { code: execution.code }),
    record: receiptRecordToWire(record),
    sealedResult,
    segmentClosed,
  };
}

function seal(opened: OpenedRequest, head: bigint, request: RequestData, payload: Uint8Array): Promise<Uint8Array> {
  return sealResult(opened.resultSecret, head, encodeResultData({ outputBlinding: request.outputBlinding, payload }));
}

/** Synchronous from the statement to the lane's move, so that no other job comes between. */
function signAndStore(
  enclave: Enclave,
  entry: Pick<JobEntry, 'leaseId' | 'header' | 'sealedResult' | 'owesProof'>,
  { lane }: AdmittedJob,
  receipt: Receipt,
): { readonly record: ReceiptRecord; readonly segmentClosed: boolean } {
  const { keys, store } = enclave;
  const { header } = entry;
  const laneKey = laneKeyOf(lane.id);
  if ((enclave.lanes.get(laneKey) ?? lane) !== lane || lane.view.k + 1 !== header.k || lane.view.head !== header.previousHead) {
    throw new StunError('STUN_LANE_HEAD', 'another demand of the lane was served in the meantime');
  }
  const prepared = lane.prepare(receipt);
  const { receiptHash, statement } = prepared;
  const record: ReceiptRecord = {
    receipt,
    receiptSignature: keys.signReceipt(enclave.escrow, receiptHash),
    statement,
    statementSignature: keys.signStatement(statement),
  };
  const segmentClosed = lane.fillsWithNext();
  store.recordJob({ ...entry, lane, record, segmentFull: segmentClosed }, keys);
  lane.commit(prepared);
  if (segmentClosed) lane.closeSegment();
  enclave.lanes.set(laneKey, lane);
  return { record, segmentClosed };
}
