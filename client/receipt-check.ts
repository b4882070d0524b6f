/**
 * The customer's check of a receipt: against the exact bytes it sent, the exact bytes it received, and what it signed.
 * Pure. A worker that lies anywhere is caught with `STUN_RECEIPT_MISMATCH`, `details.field` naming where.
 */
import {
  assertStatementCovers,
  decodeErrorPayload,
  decodeResultData,
  deliveryDigestOf,
  openResult,
  outputBlindingOf,
  outputCommitmentOf,
  StunError,
  verifyReceiptRecord,
  type ErrorCode,
  type Keyset,
  type Receipt,
  type ReceiptRecord,
  type ResultData,
} from '#protocol/index.ts';
import type { OrderRecord } from './store/order-record.ts';
import type { StoredJob } from './store/stored-job.ts';

/** What a receipt is held against. */
export interface ReceiptContext {
  readonly order: Pick<OrderRecord, 'opening' | 'outputSeed' | 'terms' | 'place' | 'publicModel'>;
  readonly keyset: Keyset;
  readonly job: Pick<StoredJob, 'head' | 'header' | 'resultSecret'>;
  /** Heads of the lane, the genesis first: `heads[k]` is D_k, up to this job at least. */
  readonly heads: readonly bigint[];
  /** Receipts of earlier jobs of the lane that this client has verified, by k. */
  readonly earlier: ReadonlyMap<number, Receipt>;
}

/** An opened and checked result. */
export interface CheckedResult {
  readonly status: Receipt['status'];
  /** The committed output bytes. */
  readonly payload: Uint8Array;
  readonly outputBlinding: bigint;
  /** Why a job that was not served was not. */
  readonly failure: ErrorCode | undefined;
  /** R_k. */
  readonly receiptHash: bigint;
  /** Whether the whole segment so far was recomputed from receipts this client holds, or the statement was taken as signed. */
  readonly statementRecomputed: boolean;
}

function mismatch(field: string, reason: string): never {
  throw new StunError('STUN_RECEIPT_MISMATCH', reason, { details: { field } });
}

/**
 * Checks a receipt record and opens the sealed result it speaks of.
 * Does not check inclusion in a settled root: see receipt.ts and the audit.
 * @throws `STUN_SIGNATURE`, `STUN_RECEIPT_MISMATCH`, `STUN_STATEMENT_MISMATCH`, `STUN_ENVELOPE_*`
 */
export async function checkResult(
  record: ReceiptRecord,
  sealedResult: Uint8Array,
  context: ReceiptContext,
): Promise<CheckedResult> {
  const { order, keyset, job } = context;
  const { receipt, statement } = record;
  const receiptHash = verifyReceiptRecord(record, keyset, order.place.escrow);
  if (receipt.demandHead !== job.head) mismatch('demandHead', 'the receipt is for another demand');
  if (deliveryDigestOf(sealedResult) !== receipt.deliveryDigest) {
    mismatch('deliveryDigest', 'the receipt speaks of other bytes than were delivered');
  }
  const data = decodeResultData(await openResult(job.resultSecret, job.head, sealedResult));
  if (data.outputBlinding !== outputBlindingOf(order.outputSeed, job.head)) {
    mismatch('outputBlinding', 'the result carries another blinding than the client chose');
  }
  if (committedOutput(order, data) !== receipt.outputCommitment) {
    mismatch('outputCommitment', 'the receipt commits to another output than was delivered');
  }
  if (receipt.price > job.header.maxPrice) mismatch('price', 'the receipt charges more than the demand allows');
  if (receipt.finishedAtUnix < receipt.startedAtUnix) mismatch('finishedAtUnix', 'the job ends before it starts');
  const failure = decodeErrorPayload(data.payload);
  if ((receipt.status === 'served') !== (failure === undefined)) {
    mismatch('status', `a ${receipt.status} job was delivered as ${failure === undefined ? 'served' : 'not served'}`);
  }
  if (statement.modelId !== order.opening.modelId) mismatch('modelId', 'the statement names another model than the order');
  const statementRecomputed = checkSegment(record, context);
  const { status } = receipt;
  return { status, payload: data.payload, outputBlinding: data.outputBlinding, failure, receiptHash, statementRecomputed };
}

/** What was delivered, committed to as the model's receipts are; an output that the model cannot give is no opening of any receipt. */
function committedOutput({ publicModel }: ReceiptContext['order'], { payload, outputBlinding }: ResultData): bigint {
  try {
    return outputCommitmentOf(publicModel?.model.output, payload, outputBlinding);
  } catch {
    return mismatch('outputCommitment', 'the output delivered is not one of the compiled model');
  }
}

/** The segment of the statement must lie on this lane, be no longer than allowed, and sum up the receipts that are known. */
function checkSegment({ receipt, statement }: ReceiptRecord, { order, job, heads, earlier }: ReceiptContext): boolean {
  const { k } = job.header;
  const fromK = heads.indexOf(statement.fromHead);
  if (fromK < 0 || fromK >= k) mismatch('fromHead', 'the segment does not start on this lane before this job');
  if (statement.count !== k - fromK) mismatch('count', 'the statement counts other jobs than the lane has');
  if (statement.count > order.terms.segmentLength) mismatch('count', 'the segment is longer than the order allows');
  const receipts: Receipt[] = [];
  for (let i = fromK + 1; i < k; i++) {
    const known = earlier.get(i);
    if (known !== undefined) receipts.push(known);
  }
  receipts.push(receipt);
  const least = receipts.reduce((sum, one) => sum + one.price, 0n);
  if (receipts.length === statement.count) {
    assertStatementCovers(statement, receipts);
    return true;
  }
  if (statement.total < least) mismatch('total', 'the statement sums up to less than the known receipts');
  return false;
}
