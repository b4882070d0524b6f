/** Segments and proofs. */
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { SETTLEMENT_SIGNALS } from '#protocol/terms.ts';
import { addressHex, bytes32Hex, decimal, fieldHex } from '#protocol/wire/scalars.ts';
import { settlementBundleSchema } from '#protocol/wire/settlement-bundle.ts';
import { settlementProofSchema } from '#prover/interface.ts';
import { json } from '../http/reply.ts';
import { jsonBody, route, type Route } from '../http/route.ts';
import { acceptSegment } from '../pipeline/segments.ts';
import type { Services } from '../services.ts';

const stateSchema = z.enum(['batched', 'proven', 'settled', 'failed', 'refunded']);
const idSchema = z.string().regex(/^[0-9a-f]{32}$/);
const proofSchema = settlementProofSchema.omit({ timings: true }).meta({ id: 'SettlementProof' });
const segmentSchema = z
  .strictObject({
    segmentId: idSchema,
    orderKey: bytes32Hex,
    provider: addressHex,
    laneIndex: z.int(),
    firstK: z.int(),
    count: z.int(),
    state: stateSchema,
    receiptsRoot: fieldHex,
    laneOld: fieldHex,
    laneNew: fieldHex,
    total: decimal,
    proofsMade: z.int(),
    code: z.string().optional(),
    reason: z.string().optional(),
    transactionHash: bytes32Hex.optional(),
    blockNumber: z.int().optional(),
    credited: decimal.optional(),
    fee: decimal.optional(),
    shortfall: decimal.optional(),
    proof: proofSchema.optional().meta({ description: 'For the provider: it can settle with this proof itself' }),
    createdAtUnixMs: z.int(),
    provenAtUnixMs: z.int().optional(),
    settledAtUnixMs: z.int().optional(),
  })
  .meta({ id: 'Segment' });
const signalsSchema = z.strictObject(
  Object.fromEntries(SETTLEMENT_SIGNALS.map((name) => [name, fieldHex])) as Record<
    (typeof SETTLEMENT_SIGNALS)[number],
    typeof fieldHex
  >,
);

const pairSchema = z
  .strictObject({ inputCommitment: fieldHex, outputCommitment: fieldHex })
  .meta({ description: 'Commitments of a paid job, by place; both 0 where nothing is paid' });

/** The routes of segments and proofs. */
export function segmentRoutes(services: Services): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/worker/segments',
      operationId: 'submitSegment',
      tag: 'Worker',
      summary: 'Hand over a closed segment',
      description:
        'Idempotent by lane and first job. The service proves and settles it; the provider can always settle its own bundle.',
      access: 'account',
      body: jsonBody(z.strictObject({ bundle: settlementBundleSchema })),
      responses: {
        200: { description: 'Known already', schema: z.strictObject({ segmentId: idSchema, state: stateSchema }) },
        201: { description: 'Taken', schema: z.strictObject({ segmentId: idSchema, state: stateSchema }) },
      },
      errors: [
        'STUN_ACCESS',
        'STUN_SEGMENT',
        'STUN_SEGMENT_PROOF',
        'STUN_SEGMENT_CONFLICT',
        'STUN_RECEIPT_MISMATCH',
        'STUN_SIGNATURE',
        'STUN_STATEMENT_MISMATCH',
      ],
      handle: async ({ account, body }) => {
        const { segmentId, state, created } = await acceptSegment(services, account, body.bundle);
        return json(created ? 201 : 200, { segmentId, state });
      },
    }),
    route({
      method: 'get',
      path: '/v1/segments/{segmentId}',
      operationId: 'getSegment',
      tag: 'Settlement',
      summary: 'A segment',
      access: 'account',
      params: z.strictObject({ segmentId: idSchema }),
      responses: { 200: { description: 'The segment', schema: segmentSchema } },
      errors: ['STUN_NOT_FOUND'],
      handle: async ({ account, params }) => {
        const row = await services.db.sql
          .selectFrom('segment')
          .innerJoin('orders', 'orders.order_key', 'segment.order_key')
          .innerJoin('lane', 'lane.lane_id', 'segment.lane_id')
          .selectAll('segment')
          .select(['orders.funder', 'lane.account'])
          .where('segment_id', '=', params.segmentId)
          .executeTakeFirst();
        if (row === undefined || ![row.provider, row.funder, row.account].includes(account)) {
          throw new StunError('STUN_NOT_FOUND', 'there is no such segment for this account');
        }
        const proof = row.proof !== null && row.provider === account ? withoutTimings(JSON.parse(row.proof)) : undefined;
        return json(200, {
          segmentId: row.segment_id,
          orderKey: row.order_key,
          provider: row.provider,
          laneIndex: row.lane_index,
          firstK: row.first_k,
          count: row.count,
          state: row.state,
          receiptsRoot: row.receipts_root,
          laneOld: row.lane_old,
          laneNew: row.lane_new,
          total: row.total,
          proofsMade: row.proofs_made,
          code: row.code ?? undefined,
          reason: row.reason ?? undefined,
          transactionHash: row.transaction_hash ?? undefined,
          blockNumber: row.block_number ?? undefined,
          credited: row.credited ?? undefined,
          fee: row.fee ?? undefined,
          shortfall: row.shortfall ?? undefined,
          proof,
          createdAtUnixMs: row.created_at_ms,
          provenAtUnixMs: row.proven_at_ms ?? undefined,
          settledAtUnixMs: row.settled_at_ms ?? undefined,
        });
      },
    }),
    route({
      method: 'post',
      path: '/v1/proofs/verify',
      operationId: 'verifyProof',
      tag: 'Settlement',
      summary: 'Verify a settlement proof',
      description:
        'Under the verification key that this service holds for the family. Says nothing about the chain: root, lane and time are for the escrow to judge.',
      access: 'public',
      body: jsonBody(proofSchema),
      responses: {
        200: {
          description: 'The proof verifies',
          schema: z.strictObject({ valid: z.literal(true), signals: signalsSchema, pairs: z.array(pairSchema) }),
        },
      },
      errors: ['STUN_PROOF_FAMILY', 'STUN_PROOF_INVALID', 'STUN_NOT_READY'],
      handle: async ({ body }) => {
        if (services.verifyProof === undefined) throw new StunError('STUN_NOT_READY', 'this process has no verification keys');
        const { signals, pairs } = await services.verifyProof({ ...body, timings: { witnessMs: 0, proveMs: 0, verifyMs: 0 } });
        return json(200, {
          valid: true,
          signals: Object.fromEntries(Object.entries(signals).map(([k, v]) => [k, fieldToHex(v)])),
          pairs: pairs.map(({ inputCommitment, outputCommitment }) => ({
            inputCommitment: fieldToHex(inputCommitment),
            outputCommitment: fieldToHex(outputCommitment),
          })),
        });
      },
    }),
  ];
}

function withoutTimings(proof: unknown): object {
  const { timings: _timings, ...rest } = settlementProofSchema.parse(proof);
  return rest;
}
