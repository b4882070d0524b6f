/** A receipt with its place in the receipts tree of its settled segment. Only a receipt opened under a settled root is settled evidence. */
import { z } from 'zod';
import { fieldToHex } from '#protocol/field.ts';
import { pathLength, RECEIPTS_TREE, receiptsTree, treeCapacity } from '#protocol/merkle.ts';
import { receiptHashOf } from '#protocol/receipt.ts';
import { bytes32Hex, fieldHex } from '#protocol/wire/scalars.ts';
import type { SettlementBundleWire } from '#protocol/wire/settlement-bundle.ts';
import { receiptRecordFromWire } from '#protocol/wire/receipt.ts';
import type { JobRow } from '../jobs/transitions.ts';
import type { Services } from '../services.ts';

export const inclusionSchema = z
  .strictObject({
    segmentId: z.string(),
    txHash: bytes32Hex.optional().meta({ description: 'Once the settlement is confirmed on chain' }),
    receiptsRoot: fieldHex,
    index: z
      .int()
      .min(0)
      .max(treeCapacity(RECEIPTS_TREE) - 1),
    path: z
      .array(fieldHex)
      .length(pathLength(RECEIPTS_TREE))
      .meta({ description: 'Siblings, 15 of the leaf and then 15 of its parent, each in order' }),
  })
  .meta({ id: 'ReceiptInclusion' });

/** The receipt document of a job. */
export async function inclusionOf(services: Services, job: JobRow, record: string): Promise<object> {
  const wire: unknown = JSON.parse(record);
  const receiptHash = fieldToHex(receiptHashOf(receiptRecordFromWire(wire).receipt));
  const document = { record: wire, keysetDigest: job.keyset_digest, receiptHash };
  if (job.segment_id === null || job.segment_index === null) return document;
  const segment = await services.db.sql
    .selectFrom('segment')
    .select(['segment_id', 'transaction_hash', 'receipts_root', 'bundle'])
    .where('segment_id', '=', job.segment_id)
    .executeTakeFirstOrThrow();
  const rows = await services.db.sql
    .selectFrom('job')
    .select('record')
    .where('segment_id', '=', job.segment_id)
    .orderBy('segment_index')
    .execute();
  const hashes = rows.map((row) => receiptHashOf(receiptRecordFromWire(JSON.parse(row.record ?? 'null')).receipt));
  const path = receiptsTree(hashes).path(job.segment_index);
  const { jobs } = JSON.parse(segment.bundle) as SettlementBundleWire;
  const inferenceProof = jobs[job.segment_index]?.inferenceProof;
  return {
    ...document,
    ...(inferenceProof === undefined ? {} : { inferenceProof }),
    settlement: {
      segmentId: segment.segment_id,
      ...(segment.transaction_hash === null ? {} : { txHash: segment.transaction_hash }),
      receiptsRoot: segment.receipts_root,
      index: path.index,
      path: path.siblings.map((sibling) => fieldToHex(sibling)),
    },
  };
}
