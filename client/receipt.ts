/**
 * The receipt file: what one job was, opened, with everything needed to verify it years later without a network.
 *
 * It proves: the enclave of this keyset, whose evidence satisfied this policy when the job ran, signed that this output answered this
 * input for this price. It does not prove that the receipt was settled: that is the audit's work. Times are the enclave host's clock.
 * It holds input and output in clear: keep it like the data itself.
 */
import { z } from 'zod';
import {
  ASSURANCE,
  bytesHex,
  deliveryDigestOf,
  fieldFromHex,
  fieldHex,
  fieldToHex,
  fromHex,
  headOfHeader,
  inputCommitmentOf,
  jobHeaderFromWire,
  jobHeaderSchema,
  jobHeaderToWire,
  keysetDigestOf,
  openedOrderFromWire,
  openingSchema,
  openingToWire,
  parseKeyset,
  outputCommitmentOf,
  policyIdOf,
  proofPointsSchema,
  publicModelFromWire,
  publicModelSchema,
  publicModelToWire,
  readDocument,
  receiptRecordFromWire,
  receiptRecordSchema,
  receiptRecordToWire,
  signerIdOf,
  StunError,
  toHex,
  utf8,
  verifyJobHeader,
  verifyReceiptRecord,
  type Hex,
  type JobHeader,
  type OpenedOrder,
  type ProofPoints,
  type PublicModel,
  type ReceiptRecord,
} from '#protocol/index.ts';
import { canonicalPolicyJson, parsePolicy, verifyEvidence, type TrustRoot, type VerifiedEvidence } from '#attestation/index.ts';
import { verifyProof } from './audit/groth16.ts';
import type { JobResult } from './result.ts';

export const receiptFileSchema = z.strictObject({
  format: z.literal('stun-receipt/1'),
  opening: openingSchema,
  /** Canonical policy text. */
  policy: z.string(),
  header: jobHeaderSchema,
  keyset: bytesHex,
  /** The evidence document's exact text. */
  evidence: z.string(),
  record: receiptRecordSchema,
  /** The committed input bytes and their blinding. */
  input: z.strictObject({ payload: bytesHex, blinding: fieldHex }),
  output: z.strictObject({ payload: bytesHex, blinding: fieldHex }),
  /** The sealed result as it was delivered: what deliveryDigest covers. */
  sealedResult: bytesHex,
  /** Of a compiled model. */
  publicModel: publicModelSchema.optional(),
  /** That the compiled model gives this output on this input. */
  inferenceProof: proofPointsSchema.optional(),
});
export type ReceiptFile = z.infer<typeof receiptFileSchema>;

/**
 * The receipt file of a verified result.
 * @param inferenceProof - verified by {@link inferenceProofOf}, where there is one
 */
export function receiptFileOf({ order, lane, job, outcome, checked }: JobResult, inferenceProof?: ProofPoints): ReceiptFile {
  return {
    format: 'stun-receipt/1',
    opening: openingToWire(order),
    policy: order.policyText,
    header: jobHeaderToWire(job.header),
    keyset: toHex(lane.record.keysetBytes),
    evidence: lane.record.evidenceText,
    record: receiptRecordToWire(outcome.record),
    input: { payload: toHex(job.payload), blinding: fieldToHex(job.inputBlinding) },
    output: { payload: toHex(checked.payload), blinding: fieldToHex(checked.outputBlinding) },
    sealedResult: toHex(outcome.sealedResult),
    ...(order.publicModel && { publicModel: publicModelToWire(order.publicModel) }),
    ...(inferenceProof && { inferenceProof }),
  };
}

/** What a receipt file was found to show. */
export interface VerifiedReceipt {
  readonly order: OpenedOrder;
  readonly header: JobHeader;
  readonly record: ReceiptRecord;
  /** D_k. */
  readonly jobId: Hex;
  /** R_k. */
  readonly receiptHash: Hex;
  readonly keysetDigest: Hex;
  readonly evidence: VerifiedEvidence;
  readonly simulated: boolean;
  readonly inputPayload: Uint8Array;
  readonly outputPayload: Uint8Array;
  /** The compiled model, where the order is over one that the file names. */
  readonly publicModel: PublicModel | undefined;
  /** Whether a proof in the file shows that the model gives this output on this input. */
  readonly inferenceProven: boolean;
}

function contradiction(field: string): never {
  throw new StunError('STUN_RECEIPT_FILE', `${field} does not fit the rest of the file`, { details: { field } });
}

/** The compiled model of a file; above `attested` it must be there, for nothing else says what the commitments are over. */
function modelOfFile(wire: ReceiptFile, order: OpenedOrder): PublicModel | undefined {
  if (wire.publicModel === undefined) {
    if (order.terms.assurance !== ASSURANCE.attested) contradiction('publicModel');
    return undefined;
  }
  const publicModel = publicModelFromWire(wire.publicModel);
  if (publicModel.model.modelId !== order.opening.modelId) contradiction('publicModel');
  return publicModel;
}

function provesInference(wire: ReceiptFile, publicModel: PublicModel | undefined, signals: readonly bigint[]): boolean {
  if (wire.inferenceProof === undefined) return false;
  if (publicModel === undefined) return contradiction('inferenceProof');
  verifyProof(publicModel.verificationKey, wire.inferenceProof, signals);
  return true;
}

/**
 * Verifies a receipt file offline. The evidence is verified as of the time at which the job started.
 * @param roots - the trust store; simulated hardware passes only with its root in it and a policy that admits it
 * @throws `STUN_RECEIPT_FILE` naming the field, `STUN_PROOF_INVALID` for an inference proof that does not hold, `STUN_SIGNATURE`, `STUN_KEY_*`, `STUN_INPUT`, and the codes of verifyEvidence
 */
export function verifyReceiptFile(document: unknown, roots: readonly TrustRoot[]): VerifiedReceipt {
  const wire = readDocument(receiptFileSchema, document, 'receipt file');
  const order = openedOrderFromWire(wire.opening);
  const header = jobHeaderFromWire(wire.header);
  const keysetBytes = fromHex(wire.keyset);
  const keyset = parseKeyset(keysetBytes);
  const record = receiptRecordFromWire(wire.record);
  const { receipt } = record;

  if (header.orderId !== order.orderId || header.funder !== order.place.funder) contradiction('opening');
  const { demandKey } = order.opening;
  if (header.demandKey.x !== demandKey.x || header.demandKey.y !== demandKey.y) contradiction('header.demandKey');
  verifyJobHeader(header);
  const head = headOfHeader(header);
  if (header.signerId !== signerIdOf(keyset.receiptKey) || header.provider !== keyset.provider) contradiction('keyset');
  if (keyset.chainId !== order.place.chainId) contradiction('opening.place.chainId');

  const receiptHash = verifyReceiptRecord(record, keyset, order.place.escrow);
  if (receipt.demandHead !== head) contradiction('record.receipt.demandHead');
  if (receipt.price > header.maxPrice) contradiction('record.receipt.price');
  if (record.statement.modelId !== order.opening.modelId) contradiction('record.statement.modelId');

  const inputPayload = fromHex(wire.input.payload);
  const outputPayload = fromHex(wire.output.payload);
  const publicModel = modelOfFile(wire, order);
  const inputBlinding = fieldFromHex(wire.input.blinding, 'input.blinding');
  const outputBlinding = fieldFromHex(wire.output.blinding, 'output.blinding');
  const opens = (field: string, commitment: () => bigint, expected: bigint): void => {
    let computed: bigint | undefined;
    try {
      computed = commitment();
    } catch {
      contradiction(field);
    }
    if (computed !== expected) contradiction(field);
  };
  const tensors = publicModel?.model;
  opens('input', () => inputCommitmentOf(tensors?.input, inputPayload, inputBlinding), header.inputCommitment);
  opens('output', () => outputCommitmentOf(tensors?.output, outputPayload, outputBlinding), receipt.outputCommitment);
  const inferenceProven = provesInference(wire, publicModel, [header.inputCommitment, receipt.outputCommitment]);
  if (deliveryDigestOf(fromHex(wire.sealedResult)) !== receipt.deliveryDigest) contradiction('sealedResult');

  const policy = parsePolicy(wire.policy);
  if (canonicalPolicyJson(policy) !== wire.policy || policyIdOf(utf8(wire.policy)) !== order.opening.policyId) {
    contradiction('policy');
  }
  const evidence = verifyEvidence(utf8(wire.evidence), {
    atUnix: receipt.startedAtUnix,
    roots,
    policy,
    keysetDigest: keysetDigestOf(keysetBytes),
  });
  return {
    order,
    header,
    record,
    jobId: fieldToHex(head),
    receiptHash: fieldToHex(receiptHash),
    keysetDigest: toHex(keysetDigestOf(keysetBytes)),
    evidence,
    simulated: evidence.simulated,
    inputPayload,
    outputPayload,
    publicModel,
    inferenceProven,
  };
}
