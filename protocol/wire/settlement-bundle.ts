/**
 * The settlement bundle: everything needed to prove and settle one segment, from the provider's own files alone. It holds the
 * order's opening (model, demand key, salt), prices and times, so it is for the provider and whoever it lets prove.
 */
import { z } from 'zod';
import { demandHeadOf, laneGenesisOf, verifyDemand, type Demand } from '../demand.ts';
import { StunError } from '../errors/stun-error.ts';
import { fieldFromHex, fieldToHex } from '../field.ts';
import { fromHex } from '../bytes.ts';
import { parseKeyset, type Keyset } from '../keyset.ts';
import { assertStatementCovers, verifyStatement, type Receipt, type RunningStatement } from '../receipt.ts';
import type { EddsaSignature } from '../eddsa.ts';
import type { EnclaveLeaf } from '../commitments.ts';
import { signerIdOf } from '../commitments.ts';
import { openedOrderFromWire, openingSchema, openingToWire, type OpenedOrder } from './order.ts';
import { receiptFromWire, receiptSchema, receiptToWire, statementFromWire, statementSchema, statementToWire } from './receipt.ts';
import { proofPointsSchema, type ProofPoints } from './proof-points.ts';
import {
  addressHex,
  bytesHex,
  decimal,
  eddsaFromWire,
  eddsaSchema,
  eddsaToWire,
  fieldHex,
  readDocument,
  unixSeconds,
} from './scalars.ts';

export const settlementBundleSchema = z.strictObject({
  version: z.literal(1),
  opening: openingSchema,
  provider: addressHex,
  laneIndex: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  /** Number in its lane of the segment's first job, from 1. */
  firstK: z.int().min(1),
  keyset: bytesHex,
  hardwareIdHash: fieldHex,
  leafExpiresAtUnix: unixSeconds,
  jobs: z
    .array(
      z.strictObject({
        inputCommitment: fieldHex,
        maxPrice: decimal,
        receipt: receiptSchema,
        /** That the compiled model gives this output on this input; above the level `attested`. */
        inferenceProof: proofPointsSchema.optional(),
      }),
    )
    .min(1)
    .max(256),
  /** The customer's signature over the newest head. */
  demandSignature: eddsaSchema,
  statement: statementSchema,
  statementSignature: eddsaSchema,
});
export type SettlementBundleWire = z.infer<typeof settlementBundleSchema>;

/** One job of a segment. */
export interface SegmentJob {
  readonly demand: Demand;
  readonly receipt: Receipt;
  /** As the enclave made it; whether it holds is for the model's verification key to say. */
  readonly inferenceProof?: ProofPoints | undefined;
}

/** A segment, ready to prove but for the enclave tree's path and the time. */
export interface SettlementBundle {
  readonly order: OpenedOrder;
  readonly provider: string;
  readonly laneIndex: number;
  readonly firstK: number;
  readonly keysetBytes: Uint8Array;
  readonly keyset: Keyset;
  readonly leaf: EnclaveLeaf;
  readonly jobs: readonly SegmentJob[];
  readonly demandSignature: EddsaSignature;
  readonly statement: RunningStatement;
  readonly statementSignature: EddsaSignature;
}

/** laneOld of a bundle: 0 for the first segment of a lane, else the head it starts from. */
export function laneOldOf(bundle: SettlementBundle): bigint {
  return bundle.firstK === 1 ? 0n : bundle.statement.fromHead;
}

/**
 * Reads a bundle and checks all of it that needs no chain: keys, the demand chain, both signatures, prices, the statement.
 * What passes here is provable, unless the leaf or the lane on chain say otherwise.
 * @throws `STUN_INPUT`, `STUN_RANGE`, `STUN_KEY_*`, `STUN_KEYSET_LAYOUT`, `STUN_SIGNATURE`, `STUN_SEGMENT`, `STUN_PRICE_CAP`,
 *   `STUN_STATEMENT_MISMATCH`
 */
export function settlementBundleFromWire(document: unknown): SettlementBundle {
  const wire = readDocument(settlementBundleSchema, document, 'settlement bundle');
  const order = openedOrderFromWire(wire.opening);
  const keysetBytes = fromHex(wire.keyset, undefined, 'keyset');
  const keyset = parseKeyset(keysetBytes);
  const signerId = signerIdOf(keyset.receiptKey);
  const bundle: SettlementBundle = {
    order,
    provider: wire.provider,
    laneIndex: wire.laneIndex,
    firstK: wire.firstK,
    keysetBytes,
    keyset,
    leaf: {
      signerId,
      policyId: order.opening.policyId,
      provider: wire.provider,
      hardwareIdHash: fieldFromHex(wire.hardwareIdHash, 'hardwareIdHash'),
      expiresAtUnix: wire.leafExpiresAtUnix,
    },
    jobs: wire.jobs.map((job) => ({
      demand: { inputCommitment: fieldFromHex(job.inputCommitment, 'inputCommitment'), maxPrice: BigInt(job.maxPrice), signerId },
      receipt: receiptFromWire(job.receipt),
      ...(job.inferenceProof === undefined ? {} : { inferenceProof: job.inferenceProof }),
    })),
    demandSignature: eddsaFromWire(wire.demandSignature),
    statement: statementFromWire(wire.statement),
    statementSignature: eddsaFromWire(wire.statementSignature),
  };
  assertBundle(bundle);
  return bundle;
}

/**
 * The inference proofs of a segment, one for each job; undefined for a job that is not paid, which needs none. Does not verify them.
 * @throws `STUN_SEGMENT_PROOF` naming the first paid job without one
 */
export function inferenceProofsOf(bundle: Pick<SettlementBundle, 'jobs'>): (ProofPoints | undefined)[] {
  return bundle.jobs.map(({ receipt, inferenceProof }, i) => {
    if (receipt.price === 0n) return undefined;
    if (inferenceProof === undefined) throw new StunError('STUN_SEGMENT_PROOF', `job ${i} of the segment has no inference proof`);
    return inferenceProof;
  });
}

/** The checks of settlementBundleFromWire on a bundle made in memory. */
export function assertBundle(bundle: SettlementBundle): void {
  const { order, statement } = bundle;
  const lane = { orderId: order.orderId, provider: bundle.provider, laneIndex: bundle.laneIndex };
  if (bundle.keyset.provider !== bundle.provider) throw new StunError('STUN_SEGMENT', 'the keyset belongs to another provider');
  if (bundle.jobs.length > order.terms.segmentLength)
    throw new StunError('STUN_SEGMENT', 'the segment is longer than its order allows');
  if (bundle.firstK === 1 && statement.fromHead !== laneGenesisOf(lane)) {
    throw new StunError('STUN_SEGMENT', 'the first segment of a lane must start from its genesis');
  }
  let head = statement.fromHead;
  for (const [i, { demand, receipt }] of bundle.jobs.entries()) {
    head = demandHeadOf(head, demand);
    if (receipt.demandHead !== head) throw new StunError('STUN_SEGMENT', `receipt ${i} does not continue the demand chain`);
    if (receipt.price > demand.maxPrice)
      throw new StunError('STUN_PRICE_CAP', `receipt ${i} charges more than the demand allows`);
  }
  verifyDemand(order.opening.demandKey, head, bundle.demandSignature);
  if (statement.modelId !== order.opening.modelId)
    throw new StunError('STUN_MODEL_MISMATCH', 'the statement names another model');
  assertStatementCovers(
    statement,
    bundle.jobs.map((job) => job.receipt),
  );
  verifyStatement(bundle.keyset.receiptKey, statement, bundle.statementSignature);
}

/** The wire form of a bundle. */
export function settlementBundleToWire(bundle: SettlementBundle): SettlementBundleWire {
  return {
    version: 1,
    opening: openingToWire(bundle.order),
    provider: bundle.provider,
    laneIndex: bundle.laneIndex,
    firstK: bundle.firstK,
    keyset: `0x${Array.from(bundle.keysetBytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    hardwareIdHash: fieldToHex(bundle.leaf.hardwareIdHash),
    leafExpiresAtUnix: bundle.leaf.expiresAtUnix,
    jobs: bundle.jobs.map(({ demand, receipt, inferenceProof }) => ({
      inputCommitment: fieldToHex(demand.inputCommitment),
      maxPrice: demand.maxPrice.toString(),
      receipt: receiptToWire(receipt),
      ...(inferenceProof === undefined ? {} : { inferenceProof }),
    })),
    demandSignature: eddsaToWire(bundle.demandSignature),
    statement: statementToWire(bundle.statement),
    statementSignature: eddsaToWire(bundle.statementSignature),
  };
}
