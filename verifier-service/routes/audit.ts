/** The service's part of an audit bundle: everything it knows of an order, for a verifier that believes none of it. */
import { z } from 'zod';
import { bytes32Hex } from '#protocol/wire/scalars.ts';
import { jobHeaderSchema } from '#protocol/wire/job.ts';
import { placeSchema, termsSchema } from '#protocol/wire/order.ts';
import { receiptRecordSchema } from '#protocol/wire/receipt.ts';
import { json } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import { jobOutcomeSchema, jobStateSchema } from '../jobs/states.ts';
import { visibleOrder } from '../orders/access.ts';
import type { Services } from '../services.ts';

const auditSchema = z
  .strictObject({
    version: z.literal(1),
    orderKey: bytes32Hex,
    place: placeSchema,
    terms: termsSchema,
    enclaves: z.array(z.strictObject({ keysetDigest: bytes32Hex, keyset: z.string(), evidence: z.string(), policy: z.string() })),
    jobs: z.array(
      z.strictObject({
        jobId: bytes32Hex,
        keysetDigest: bytes32Hex,
        header: jobHeaderSchema,
        envelopeSha256: bytes32Hex,
        state: jobStateSchema,
        outcome: jobOutcomeSchema.optional(),
        record: receiptRecordSchema.optional(),
        segmentId: z.string().optional(),
        segmentIndex: z.int().optional(),
      }),
    ),
    segments: z.array(
      z.strictObject({
        segmentId: z.string(),
        firstK: z.int(),
        count: z.int(),
        laneIndex: z.int(),
        provider: z.string(),
        receiptsRoot: bytes32Hex,
        state: z.string(),
        transactionHash: bytes32Hex.optional(),
      }),
    ),
  })
  .meta({ id: 'AuditExport' });

/** The route of audits. */
export function auditRoutes(services: Services): readonly Route[] {
  const { sql } = services.db;
  return [
    route({
      method: 'get',
      path: '/v1/orders/{orderKey}/audit',
      operationId: 'exportAudit',
      tag: 'Settlement',
      summary: "The service's part of an audit bundle",
      description:
        'Jobs that the account may see. The client adds openings and checks all of it; nothing here has to be believed.',
      access: 'account',
      params: z.strictObject({ orderKey: bytes32Hex }),
      responses: { 200: { description: 'The export', schema: auditSchema } },
      errors: ['STUN_NOT_FOUND'],
      handle: async ({ account, params }) => {
        const { order, sight } = await visibleOrder(services, account, params.orderKey);
        const jobs = await sql
          .selectFrom('job')
          .selectAll()
          .where('order_key', '=', order.order_key)
          .$if(sight === 'own', (q) => q.where((eb) => eb.or([eb('account', '=', account), eb('provider', '=', account)])))
          .orderBy('lane_id')
          .orderBy('k')
          .execute();
        const digests = [...new Set(jobs.map((job) => job.keyset_digest))];
        const segmentIds = [...new Set(jobs.flatMap((job) => (job.segment_id === null ? [] : [job.segment_id])))];
        const enclaves =
          digests.length === 0 ? [] : await sql.selectFrom('enclave').selectAll().where('keyset_digest', 'in', digests).execute();
        const segments =
          segmentIds.length === 0
            ? []
            : await sql.selectFrom('segment').selectAll().where('segment_id', 'in', segmentIds).orderBy('first_k').execute();
        return json(200, {
          version: 1,
          orderKey: order.order_key,
          place: { chainId: order.chain_id, escrow: order.escrow, funder: order.funder, token: order.token },
          terms: JSON.parse(order.terms) as unknown,
          enclaves: enclaves.map((enclave) => ({
            keysetDigest: enclave.keyset_digest,
            keyset: `0x${Buffer.from(enclave.keyset).toString('hex')}`,
            evidence: enclave.evidence,
            policy: enclave.policy,
          })),
          jobs: jobs.map((job) => ({
            jobId: job.job_id,
            keysetDigest: job.keyset_digest,
            header: JSON.parse(job.header) as unknown,
            envelopeSha256: `0x${job.envelope_sha256}`,
            state: job.state,
            outcome: job.outcome ?? undefined,
            record: job.record === null ? undefined : (JSON.parse(job.record) as unknown),
            segmentId: job.segment_id ?? undefined,
            segmentIndex: job.segment_index ?? undefined,
          })),
          segments: segments.map((segment) => ({
            segmentId: segment.segment_id,
            firstK: segment.first_k,
            count: segment.count,
            laneIndex: segment.lane_index,
            provider: segment.provider,
            receiptsRoot: segment.receipts_root,
            state: segment.state,
            transactionHash: segment.transaction_hash ?? undefined,
          })),
        });
      },
    }),
  ];
}
