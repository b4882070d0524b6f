/** Wire forms of receipts and running statements, and the one check of a receipt record. */
import { z } from 'zod';
import type { EddsaSignature } from '../eddsa.ts';
import { recoverEip712 } from '../eip712.ts';
import { StunError } from '../errors/stun-error.ts';
import { fieldFromHex, fieldToHex } from '../field.ts';
import { secpAddressOf, type Keyset } from '../keyset.ts';
import { receiptHashOf, verifyStatement, type Receipt, type RunningStatement } from '../receipt.ts';
import { bytesHex, decimal, eddsaFromWire, eddsaSchema, eddsaToWire, fieldHex, readDocument, unixSeconds } from './scalars.ts';

export const receiptSchema = z.strictObject({
  demandHead: fieldHex,
  outputCommitment: fieldHex,
  price: decimal,
  deliveryDigest: fieldHex,
  status: z.enum(['served', 'failed', 'void']),
  startedAtUnix: unixSeconds,
  finishedAtUnix: unixSeconds,
});
export type ReceiptWire = z.infer<typeof receiptSchema>;

export function receiptFromWire(wire: ReceiptWire): Receipt {
  return {
    ...wire,
    demandHead: fieldFromHex(wire.demandHead, 'demandHead'),
    outputCommitment: fieldFromHex(wire.outputCommitment, 'outputCommitment'),
    price: BigInt(wire.price),
    deliveryDigest: fieldFromHex(wire.deliveryDigest, 'deliveryDigest'),
  };
}

export function receiptToWire(receipt: Receipt): ReceiptWire {
  return {
    demandHead: fieldToHex(receipt.demandHead),
    outputCommitment: fieldToHex(receipt.outputCommitment),
    price: receipt.price.toString(),
    deliveryDigest: fieldToHex(receipt.deliveryDigest),
    status: receipt.status,
    startedAtUnix: receipt.startedAtUnix,
    finishedAtUnix: receipt.finishedAtUnix,
  };
}

export const statementSchema = z.strictObject({
  fromHead: fieldHex,
  toHead: fieldHex,
  modelId: fieldHex,
  total: decimal,
  count: z.int().min(1).max(256),
  receiptsRoot: fieldHex,
});
export type StatementWire = z.infer<typeof statementSchema>;

export function statementFromWire(wire: StatementWire): RunningStatement {
  return {
    fromHead: fieldFromHex(wire.fromHead, 'fromHead'),
    toHead: fieldFromHex(wire.toHead, 'toHead'),
    modelId: fieldFromHex(wire.modelId, 'modelId'),
    total: BigInt(wire.total),
    count: wire.count,
    receiptsRoot: fieldFromHex(wire.receiptsRoot, 'receiptsRoot'),
  };
}

export function statementToWire(statement: RunningStatement): StatementWire {
  return {
    fromHead: fieldToHex(statement.fromHead),
    toHead: fieldToHex(statement.toHead),
    modelId: fieldToHex(statement.modelId),
    total: statement.total.toString(),
    count: statement.count,
    receiptsRoot: fieldToHex(statement.receiptsRoot),
  };
}

/** What leaves the enclave for one job besides the sealed result. */
export const receiptRecordSchema = z.strictObject({
  version: z.literal(1),
  receipt: receiptSchema,
  /** EIP-712 `Receipt` signature of the enclave's secp256k1 key over R_k, domain: chain and escrow. */
  receiptSignature: bytesHex,
  statement: statementSchema,
  statementSignature: eddsaSchema,
});
export type ReceiptRecordWire = z.infer<typeof receiptRecordSchema>;

/** A receipt with both signatures. */
export interface ReceiptRecord {
  readonly receipt: Receipt;
  readonly receiptSignature: string;
  readonly statement: RunningStatement;
  readonly statementSignature: EddsaSignature;
}

export function receiptRecordFromWire(document: unknown): ReceiptRecord {
  const wire = readDocument(receiptRecordSchema, document, 'receipt record');
  return {
    receipt: receiptFromWire(wire.receipt),
    receiptSignature: wire.receiptSignature,
    statement: statementFromWire(wire.statement),
    statementSignature: eddsaFromWire(wire.statementSignature),
  };
}

export function receiptRecordToWire(record: ReceiptRecord): ReceiptRecordWire {
  return {
    version: 1,
    receipt: receiptToWire(record.receipt),
    receiptSignature: record.receiptSignature,
    statement: statementToWire(record.statement),
    statementSignature: eddsaToWire(record.statementSignature),
  };
}

/**
 * Verifies both signatures of a record under a keyset the caller trusts, and that the statement ends at this receipt's demand.
 * Does not check inclusion in a settled root, nor the receipt against the opened result (client/).
 * @returns R_k
 * @throws `STUN_SIGNATURE`, `STUN_RECEIPT_MISMATCH`
 */
export function verifyReceiptRecord(record: ReceiptRecord, keyset: Keyset, escrow: string): bigint {
  const hash = receiptHashOf(record.receipt);
  const signer = recoverEip712(
    'Receipt',
    { chainId: keyset.chainId, verifyingContract: escrow },
    { receipt: hash },
    record.receiptSignature,
  );
  if (signer !== secpAddressOf(keyset)) throw new StunError('STUN_SIGNATURE', 'the receipt is signed by another secp256k1 key');
  verifyStatement(keyset.receiptKey, record.statement, record.statementSignature);
  if (record.statement.toHead !== record.receipt.demandHead) {
    throw new StunError('STUN_RECEIPT_MISMATCH', 'the statement does not end at the demand of the receipt', {
      details: { field: 'toHead' },
    });
  }
  return hash;
}
