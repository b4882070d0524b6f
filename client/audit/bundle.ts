/**
 * The audit bundle: one JSON document from which a job, a batch or a whole order is verified without a network.
 *
 * It holds only what something signed, committed to or proven binds. What follows from the rest (demand heads, receipt hashes, roots,
 * totals, public signals, digests, transaction hashes) is computed by the verifier and stands nowhere in it. docs/auditor.md.
 */
import { z } from 'zod';
import {
  addressHex,
  bytes32Hex,
  bytesHex,
  decimal,
  eddsaSchema,
  fieldHex,
  openingSchema,
  proofPointsSchema,
  publicModelSchema,
  readDocument,
  StunError,
  unixSeconds,
} from '#protocol/index.ts';

/** A signed transaction as it was sent, and who sent it. */
const transactionSchema = z.strictObject({ sender: addressHex, raw: bytesHex });

const approvalSchema = z.strictObject({
  attestor: addressHex,
  nonce: decimal,
  deadlineUnix: unixSeconds,
  signature: bytesHex,
});

const enclaveSchema = z.strictObject({
  keyset: bytesHex,
  /** The evidence document's exact text, collateral included. */
  evidence: z.string(),
  leafExpiresAtUnix: unixSeconds,
  /** Digest of the evidence that the attestors approved, only when the enclave attested again since. */
  approvedEvidenceDigest: bytes32Hex.optional(),
  approvals: z.array(approvalSchema).min(1).max(32),
});

const openedSchema = z.strictObject({
  input: z.strictObject({ payload: bytesHex, blinding: fieldHex }),
  output: z.strictObject({ payload: bytesHex, blinding: fieldHex }),
  sealedResult: bytesHex,
});

const jobSchema = z.strictObject({
  inputCommitment: fieldHex,
  maxPrice: decimal,
  /** The customer's signature over this demand's head. */
  demandSignature: eddsaSchema,
  receipt: z.strictObject({
    outputCommitment: fieldHex,
    price: decimal,
    deliveryDigest: fieldHex,
    status: z.enum(['served', 'failed', 'void']),
    startedAtUnix: unixSeconds,
    finishedAtUnix: unixSeconds,
  }),
  /** The enclave's EIP-712 signature over the receipt's hash. */
  receiptSignature: bytesHex,
  /** That the compiled model gives the committed output on the committed input. */
  inferenceProof: proofPointsSchema.optional(),
  opened: openedSchema.optional(),
});

const settlementSchema = z.strictObject({
  /** Groth16, G2 coordinates c1 before c0. */
  proof: proofPointsSchema,
  enclaveRoot: fieldHex,
  validAtUnix: unixSeconds,
  transaction: transactionSchema,
});

const challengeSchema = z.strictObject({
  /** Place of the challenged job in the segment. */
  index: z.int().min(0).max(15),
  challenger: addressHex,
  transaction: transactionSchema,
  answer: z
    .strictObject({
      /** That the model gives the committed output on the committed input; absent where the call of another contract hides it. */
      inferenceProof: proofPointsSchema.optional(),
      transaction: transactionSchema,
    })
    .optional(),
});

/** What the court decided of a settled batch, as of the export. */
const courtSchema = z.strictObject({
  /** What is at stake in the batch, token units, fee included. */
  amount: decimal,
  /** In the order in which they were made. */
  challenges: z.array(challengeSchema).max(16),
  /** What ended the batch; absent while it was pending. */
  ended: z
    .discriminatedUnion('outcome', [
      z.strictObject({ outcome: z.literal('paid'), transaction: transactionSchema }),
      z.strictObject({
        outcome: z.literal('refunded'),
        /** The pair whose challenge nobody answered in time. */
        index: z.int().min(0).max(15),
        transaction: transactionSchema,
      }),
    ])
    .optional(),
});

const segmentSchema = z.strictObject({
  /** Index into `enclaves`. */
  enclave: z.int().min(0).max(1023),
  laneIndex: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  /** The head the segment continues; null at the start of the lane. */
  fromHead: z.union([fieldHex, z.null()]),
  jobs: z.array(jobSchema).min(1).max(256),
  /** The enclave's EdDSA signature over the running statement after the last job. */
  statementSignature: eddsaSchema,
  settlement: settlementSchema.optional(),
  /** Of a settled segment of a `challengeable` order. */
  court: courtSchema.optional(),
});

const verificationKeySchema = z.strictObject({
  maxJobs: z.int().min(1).max(256),
  /** The fixed encoding of docs/protocol.md section 3, 32-byte words. */
  key: bytesHex,
});

export const auditBundleSchema = z.strictObject({
  format: z.literal('stun-audit/1'),
  order: z.strictObject({
    opening: openingSchema,
    /** Canonical policy text. */
    policy: z.string(),
    /** Of an order over a compiled model. */
    publicModel: publicModelSchema.optional(),
    openTransaction: transactionSchema.optional(),
  }),
  enclaves: z.array(enclaveSchema).min(1).max(1024),
  verificationKeys: z.array(verificationKeySchema).max(8),
  segments: z.array(segmentSchema).min(1),
});
export type AuditBundle = z.infer<typeof auditBundleSchema>;
export type AuditSegment = AuditBundle['segments'][number];
export type AuditJob = AuditSegment['jobs'][number];
export type AuditEnclave = AuditBundle['enclaves'][number];
export type AuditCourt = z.infer<typeof courtSchema>;
export type AuditChallenge = z.infer<typeof challengeSchema>;
export type AuditTransaction = z.infer<typeof transactionSchema>;

/**
 * What orderId binds: the opening, and what its digests stand for. Whoever changes one of these can make the digests anew, so a check of
 * orderId cannot tell them apart and binds them all.
 */
export const ORDER_FIELDS: readonly string[] = ['order.opening', 'order.policy', 'order.publicModel', 'verificationKeys'];

/** Reads the form of a bundle. @throws `STUN_AUDIT_FORMAT` naming the fields */
export function parseAuditBundle(document: unknown): AuditBundle {
  try {
    return readDocument(auditBundleSchema, document, 'audit bundle');
  } catch (thrown) {
    if (!(thrown instanceof StunError)) throw thrown;
    throw new StunError('STUN_AUDIT_FORMAT', thrown.message, { details: thrown.details, cause: thrown });
  }
}
