/** The enclave's side: receipts and the running statement over a segment. */
import type { JubPoint } from './babyjub.ts';
import { signEddsa, verifyEddsa, type EddsaKeyPair, type EddsaSignature } from './eddsa.ts';
import { PRICE_BITS } from './demand.ts';
import { StunError } from './errors/stun-error.ts';
import { assertField, assertUint } from './field.ts';
import { receiptsRootOf } from './merkle.ts';
import { poseidon } from './poseidon.ts';
import { TAG } from './tags.ts';

/** How a job ended. Only a served job has a price. */
export const JOB_STATUS = { served: 1, failed: 2, void: 3 } as const;
/** Name of a status. */
export type JobStatus = keyof typeof JOB_STATUS;

/** The packed part of a receipt: status and the host's own, self-reported times. */
export interface ReceiptMeta {
  readonly status: JobStatus;
  /** Below 2^34, as is the next. */
  readonly startedAtUnix: number;
  readonly finishedAtUnix: number;
}

/** Bits of a receipt's times: unix seconds until the year 2514. The circuit checks them for every job. */
const TIME_BITS = 34;

/**
 * meta = status + startedAt·2^8 + finishedAt·2^48.
 * @throws `STUN_RANGE` for a time of 2^34 or more
 */
export function packMeta(meta: ReceiptMeta): bigint {
  return (
    BigInt(JOB_STATUS[meta.status]) +
    (assertUint(BigInt(meta.startedAtUnix), TIME_BITS, 'startedAt') << 8n) +
    (assertUint(BigInt(meta.finishedAtUnix), TIME_BITS, 'finishedAt') << 48n)
  );
}

/** What a receipt says about one job. */
export interface Receipt extends ReceiptMeta {
  readonly demandHead: bigint;
  readonly outputCommitment: bigint;
  /** Price units, below 2^63; 0 unless served. */
  readonly price: bigint;
  readonly deliveryDigest: bigint;
}

/**
 * R_k of a receipt.
 * @throws `STUN_RANGE` when a job that was not served has a price, or a number is out of range
 */
export function receiptHashOf(receipt: Receipt): bigint {
  if (receipt.status !== 'served' && receipt.price !== 0n) throw new StunError('STUN_RANGE', 'a job that was not served costs 0');
  return poseidon(TAG.receipt, [
    assertField(receipt.demandHead, 'demand head'),
    assertField(receipt.outputCommitment, 'outputCommitment'),
    assertUint(receipt.price, PRICE_BITS, 'price'),
    assertField(receipt.deliveryDigest, 'deliveryDigest'),
    packMeta(receipt),
  ]);
}

/** What the enclave signs after every receipt: the sum of the segment so far. */
export interface RunningStatement {
  /** The lane head before the first job of the segment. */
  readonly fromHead: bigint;
  /** The newest head. */
  readonly toHead: bigint;
  readonly modelId: bigint;
  /** Sum of the prices, price units. */
  readonly total: bigint;
  /** Jobs in the segment so far, 1..256. */
  readonly count: number;
  readonly receiptsRoot: bigint;
}

/** The message the enclave signs for a statement. */
export function statementHashOf(statement: RunningStatement): bigint {
  return poseidon(TAG.statement, [
    assertField(statement.fromHead, 'from head'),
    assertField(statement.toHead, 'to head'),
    assertField(statement.modelId, 'modelId'),
    assertUint(statement.total, 72, 'total'),
    assertUint(BigInt(statement.count), 16, 'count'),
    assertField(statement.receiptsRoot, 'receiptsRoot'),
  ]);
}

/** Builds the statement over the receipts of a segment, in order. */
export function statementOver(fromHead: bigint, modelId: bigint, receipts: readonly Receipt[]): RunningStatement {
  const last = receipts.at(-1);
  if (last === undefined) throw new StunError('STUN_SEGMENT', 'a statement covers at least one receipt');
  return {
    fromHead,
    toHead: last.demandHead,
    modelId,
    total: receipts.reduce((sum, receipt) => sum + receipt.price, 0n),
    count: receipts.length,
    receiptsRoot: receiptsRootOf(receipts.map(receiptHashOf)),
  };
}

/** Signs a statement with the enclave's BabyJubJub receipt key. */
export function signStatement(receiptKey: EddsaKeyPair, statement: RunningStatement): EddsaSignature {
  return signEddsa(receiptKey, statementHashOf(statement));
}

/** Verifies the signature of a statement and returns the statement. Does not compare it with receipts: see assertStatementCovers. */
export function verifyStatement(receiptKey: JubPoint, statement: RunningStatement, signature: EddsaSignature): RunningStatement {
  verifyEddsa(receiptKey, statementHashOf(statement), signature, 'statement signature');
  return statement;
}

/**
 * Checks that a statement is the one over exactly these receipts.
 * @throws `STUN_STATEMENT_MISMATCH` naming the first field that differs
 */
export function assertStatementCovers(statement: RunningStatement, receipts: readonly Receipt[]): void {
  const expected = statementOver(statement.fromHead, statement.modelId, receipts);
  for (const field of ['toHead', 'total', 'count', 'receiptsRoot'] as const) {
    if (statement[field] !== expected[field]) {
      throw new StunError('STUN_STATEMENT_MISMATCH', `statement field ${field} contradicts its receipts`, { details: { field } });
    }
  }
}
