/** The worker's side: leases, payloads, openings, completion, quotes. The account is the provider. */
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import { bytes32Hex, unixSeconds } from '#protocol/wire/scalars.ts';
import { jobHeaderSchema } from '#protocol/wire/job.ts';
import { placeSchema, termsSchema } from '#protocol/wire/order.ts';
import { receiptRecordSchema } from '#protocol/wire/receipt.ts';
import { acceptQuote, wantedQuote } from '../enclaves/quotes.ts';
import { evidenceSchema } from '../enclaves/schemas.ts';
import { empty, json, octets } from '../http/reply.ts';
import { frameBody, jsonBody, route, type Route } from '../http/route.ts';
import { completeJob } from '../jobs/complete.ts';
import { activeLease, declineJob, heartbeat, leaseJob, leaseOf, markSeen } from '../jobs/lease.ts';
import { jobStateSchema } from '../jobs/states.ts';
import type { Services } from '../services.ts';

const leaseParam = z.strictObject({ leaseId: z.uuid() });
const leaseSchema = z
  .strictObject({
    leaseId: z.uuid(),
    jobId: bytes32Hex,
    header: jobHeaderSchema,
    place: placeSchema,
    terms: termsSchema,
    expiresAtUnix: unixSeconds,
    openingAvailable: z.boolean(),
  })
  .meta({ id: 'Lease' });

/** The routes of workers. */
export function workerRoutes(services: Services): readonly Route[] {
  const { db } = services;
  return [
    route({
      method: 'post',
      path: '/v1/worker/leases',
      operationId: 'leaseJob',
      tag: 'Worker',
      summary: 'Wait for the next job of an enclave',
      description:
        'Long poll. Counts as a sign of life. When the header `stun-quote-nonce` comes with the answer, the service wants evidence over that nonce at /v1/worker/quotes.',
      access: 'account',
      body: jsonBody(z.strictObject({ keysetDigest: bytes32Hex, waitMs: z.int().min(0).max(20_000) })),
      responses: {
        200: { description: 'A job', schema: leaseSchema },
        204: { description: 'No job came', nothing: true },
      },
      errors: ['STUN_ENCLAVE_UNKNOWN', 'STUN_ACCESS'],
      handle: async ({ account, body, signal }) => {
        const enclave = await markSeen(services, account, body.keysetDigest);
        const nonce = await wantedQuote(services, enclave);
        const headers: Record<string, string> = nonce === undefined ? {} : { 'stun-quote-nonce': nonce };
        const leased = await leaseJob(services, account, body.keysetDigest, body.waitMs, signal);
        if (leased === undefined) return empty(headers);
        const { lease, job, order, openingAvailable } = leased;
        const document = {
          leaseId: lease.lease_id,
          jobId: job.job_id,
          header: JSON.parse(job.header) as unknown,
          place: { chainId: order.chain_id, escrow: order.escrow, funder: order.funder, token: order.token },
          terms: JSON.parse(order.terms) as unknown,
          expiresAtUnix: Math.floor(lease.expires_at_ms / 1000),
          openingAvailable,
        };
        return json(200, document, headers);
      },
    }),
    route({
      method: 'get',
      path: '/v1/worker/leases/{leaseId}/payload',
      operationId: 'getPayload',
      tag: 'Worker',
      summary: 'The sealed request of a leased job',
      access: 'account',
      params: leaseParam,
      responses: { 200: { description: 'The sealed request', octets: true } },
      errors: ['STUN_LEASE', 'STUN_DATA_DELETED'],
      handle: async ({ account, params }) => {
        const lease = await activeLease(db, account, params.leaseId, services.nowMs());
        const row = await db.sql.selectFrom('payload').select('envelope').where('job_id', '=', lease.job_id).executeTakeFirst();
        if (row === undefined) throw new StunError('STUN_DATA_DELETED', 'the sealed request was deleted');
        return octets(row.envelope);
      },
    }),
    route({
      method: 'get',
      path: '/v1/worker/openings/{orderKey}/{keysetDigest}',
      operationId: 'getOpening',
      tag: 'Worker',
      summary: 'The sealed opening of an order',
      description:
        'With `leaseId`, the one that the sender of the leased job left: other accounts may have left others, also false ones.',
      access: 'account',
      params: z.strictObject({ orderKey: bytes32Hex, keysetDigest: bytes32Hex }),
      query: z.strictObject({ leaseId: z.uuid().optional() }),
      responses: { 200: { description: 'The sealed opening', octets: true } },
      errors: ['STUN_NOT_FOUND', 'STUN_ENCLAVE_UNKNOWN', 'STUN_ACCESS', 'STUN_LEASE'],
      handle: async ({ account, params, query }) => {
        await markSeen(services, account, params.keysetDigest);
        const lease = query.leaseId === undefined ? undefined : await leaseOf(db, account, query.leaseId);
        // Without a lease, of several accounts that left one, the one whose job is leased right now comes first.
        const row = await db.sql
          .selectFrom('opening')
          .leftJoin('lane', (join) =>
            join
              .onRef('lane.order_key', '=', 'opening.order_key')
              .onRef('lane.keyset_digest', '=', 'opening.keyset_digest')
              .onRef('lane.account', '=', 'opening.account')
              .on('lane.active_job', 'is not', null),
          )
          .select('opening.envelope')
          .where('opening.order_key', '=', params.orderKey)
          .where('opening.keyset_digest', '=', params.keysetDigest)
          .$if(lease !== undefined, (q) =>
            q.where('opening.account', '=', (eb) =>
              eb
                .selectFrom('job')
                .select('job.account')
                .where('job.job_id', '=', lease?.job_id ?? ''),
            ),
          )
          .orderBy((eb) => eb('lane.lane_id', 'is', null))
          .orderBy('opening.created_at_ms', 'desc')
          .limit(1)
          .executeTakeFirst();
        if (row === undefined) throw new StunError('STUN_NOT_FOUND', 'no opening of the order was left for this enclave');
        return octets(row.envelope);
      },
    }),
    route({
      method: 'post',
      path: '/v1/worker/leases/{leaseId}/heartbeat',
      operationId: 'heartbeatLease',
      tag: 'Worker',
      summary: 'Say that the job still runs',
      access: 'account',
      params: leaseParam,
      body: jsonBody(z.strictObject({ state: z.literal('running') })),
      responses: { 200: { description: 'Prolonged', schema: z.strictObject({ expiresAtUnix: unixSeconds }) } },
      errors: ['STUN_LEASE'],
      handle: async ({ account, params }) => {
        const { expiresAtUnixMs } = await heartbeat(services, account, params.leaseId);
        return json(200, { expiresAtUnix: Math.floor(expiresAtUnixMs / 1000) });
      },
    }),
    route({
      method: 'post',
      path: '/v1/worker/leases/{leaseId}/complete',
      operationId: 'completeLease',
      tag: 'Worker',
      summary: 'Hand over receipt and sealed result',
      description:
        'Idempotent. A receipt that verifies is taken from a lease that has run out, too, until the budget of its order is refunded.',
      access: 'account',
      params: leaseParam,
      body: frameBody(z.strictObject({ record: receiptRecordSchema })),
      responses: { 200: { description: 'Taken', schema: z.strictObject({ jobId: bytes32Hex, state: jobStateSchema }) } },
      errors: [
        'STUN_FRAME',
        'STUN_LEASE',
        'STUN_JOB_STATE',
        'STUN_JOB_REFUNDED',
        'STUN_JOB_CONFLICT',
        'STUN_ENVELOPE_LAYOUT',
        'STUN_SIGNATURE',
        'STUN_RECEIPT_MISMATCH',
        'STUN_STATEMENT_MISMATCH',
        'STUN_PRICE_CAP',
      ],
      handle: async ({ account, params, body }) =>
        json(200, await completeJob(services, account, params.leaseId, body.document.record, body.bytes)),
    }),
    route({
      method: 'post',
      path: '/v1/worker/leases/{leaseId}/decline',
      operationId: 'declineLease',
      tag: 'Worker',
      summary: 'Refuse a job before anything is signed',
      description:
        'The job becomes void with the code, its lane is closed, later jobs of the lane become void with STUN_LANE_CLOSED.',
      access: 'account',
      params: leaseParam,
      body: jsonBody(z.strictObject({ code: z.string().regex(/^STUN_[A-Z0-9_]{1,60}$/), reason: z.string().min(1).max(500) })),
      responses: { 200: { description: 'Declined', schema: z.strictObject({ voided: z.int() }) } },
      errors: ['STUN_LEASE'],
      handle: async ({ account, params, body }) =>
        json(200, await declineJob(services, account, params.leaseId, body.code, body.reason)),
    }),
    route({
      method: 'post',
      path: '/v1/worker/quotes',
      operationId: 'renewQuote',
      tag: 'Worker',
      summary: 'Show a fresh quote of a listed enclave',
      description: 'Over the nonce of `stun-quote-nonce`, or a recent block hash. Readiness of the service rests on it.',
      access: 'account',
      body: jsonBody(z.strictObject({ keysetDigest: bytes32Hex, evidence: evidenceSchema })),
      responses: { 200: { description: 'Taken', schema: z.strictObject({ quotedAtUnix: unixSeconds }) } },
      errors: ['STUN_ENCLAVE_UNKNOWN', 'STUN_ACCESS', 'STUN_EVIDENCE_NONCE', 'STUN_ENCLAVE_LISTING'],
      handle: async ({ account, body }) =>
        json(200, await acceptQuote(services, await markSeen(services, account, body.keysetDigest), body.evidence)),
    }),
  ];
}
