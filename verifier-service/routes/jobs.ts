/** Jobs as the customer sees them. */
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import { bytes32Hex, fieldHex } from '#protocol/wire/scalars.ts';
import { jobHeaderSchema } from '#protocol/wire/job.ts';
import { proofPointsSchema } from '#protocol/wire/proof-points.ts';
import { receiptRecordSchema } from '#protocol/wire/receipt.ts';
import { pageOf, pageQuery, pageSchema, placeOf } from '../http/pagination.ts';
import { empty, json, octets } from '../http/reply.ts';
import { frameBody, route, type Route } from '../http/route.ts';
import { lastEventId, writeEvents } from '../http/sse.ts';
import { jobStateSchema, isFinal, unservedStates, type JobState } from '../jobs/states.ts';
import { submitJob } from '../jobs/submit.ts';
import { jobSchema, jobView, visibleJob } from '../jobs/views.ts';
import { orderTopic } from '../jobs/wake.ts';
import { inclusionOf, inclusionSchema } from '../pipeline/inclusion.ts';
import type { Services } from '../services.ts';

const jobParam = z.strictObject({ jobId: bytes32Hex });
const submittedSchema = z.strictObject({ jobId: bytes32Hex, state: jobStateSchema }).meta({ id: 'SubmittedJob' });
const receiptSchema = z
  .strictObject({
    record: receiptRecordSchema,
    keysetDigest: bytes32Hex,
    receiptHash: fieldHex,
    inferenceProof: proofPointsSchema.optional().meta({
      description:
        'That the compiled model gives this output on this input; once the segment of a job above `attested` was handed over',
    }),
    settlement: inclusionSchema.optional(),
  })
  .meta({ id: 'JobReceipt' });

/** The routes of jobs. */
export function jobRoutes(services: Services): readonly Route[] {
  const { db } = services;
  return [
    route({
      method: 'post',
      path: '/v1/jobs',
      operationId: 'submitJob',
      tag: 'Jobs',
      summary: 'Submit an encrypted job',
      description:
        'A frame of the clear header and the sealed request. The job id is the demand head; the same bytes give the same job.',
      access: 'account',
      body: frameBody(jobHeaderSchema),
      responses: {
        200: { description: 'The job was there already', schema: submittedSchema },
        201: { description: 'Queued', schema: submittedSchema },
      },
      errors: [
        'STUN_FRAME',
        'STUN_SIGNATURE',
        'STUN_LANE_HEAD',
        'STUN_LANE_INDEX',
        'STUN_LANE_CLOSED',
        'STUN_JOB_CONFLICT',
        'STUN_ENVELOPE_LAYOUT',
        'STUN_ENCLAVE_UNKNOWN',
        'STUN_ENCLAVE_GONE',
        'STUN_ENCLAVE_EXPIRES_SOON',
        'STUN_ORDER_UNKNOWN',
        'STUN_ORDER_CLOSED',
        'STUN_DEMAND_ENCLAVE',
        'STUN_PRICE_CAP',
        'STUN_BUDGET',
        'STUN_QUOTA',
        'STUN_ACCESS',
      ],
      handle: async ({ account, body }) => {
        const { jobId, state, created } = await submitJob(services, account, body.document, body.bytes);
        return json(created ? 201 : 200, { jobId, state });
      },
    }),
    route({
      method: 'get',
      path: '/v1/jobs',
      operationId: 'listJobs',
      tag: 'Jobs',
      summary: 'Jobs of the account, newest first',
      access: 'account',
      query: z.strictObject({ ...pageQuery, orderKey: bytes32Hex.optional(), state: jobStateSchema.optional() }),
      responses: { 200: { description: 'A page', schema: pageSchema(jobSchema) } },
      errors: ['STUN_CURSOR'],
      handle: async ({ account, query }) => {
        const after = placeOf(query.cursor);
        const rows = await db.sql
          .selectFrom('job')
          .innerJoin('lane', 'lane.lane_id', 'job.lane_id')
          .selectAll('job')
          .select('lane.lane_index')
          .where('job.account', '=', account)
          .$if(query.orderKey !== undefined, (q) => q.where('job.order_key', '=', query.orderKey ?? ''))
          .$if(query.state !== undefined, (q) => q.where('job.state', '=', query.state ?? 'queued'))
          .$if(after !== undefined, (q) =>
            q.where((eb) => eb(eb.refTuple('job.created_at_ms', 'job.job_id'), '<', eb.tuple(after?.atMs ?? 0, after?.id ?? ''))),
          )
          .orderBy('job.created_at_ms', 'desc')
          .orderBy('job.job_id', 'desc')
          .limit(query.limit + 1)
          .execute();
        return json(
          200,
          pageOf(rows, query.limit, (row) => ({ atMs: row.created_at_ms, id: row.job_id }), jobView),
        );
      },
    }),
    route({
      method: 'get',
      path: '/v1/jobs/{jobId}',
      operationId: 'getJob',
      tag: 'Jobs',
      summary: 'A job',
      access: 'account',
      params: jobParam,
      responses: { 200: { description: 'The job', schema: jobSchema } },
      errors: ['STUN_NOT_FOUND'],
      handle: async ({ account, params }) => json(200, jobView(await visibleJob(services, account, params.jobId))),
    }),
    route({
      method: 'get',
      path: '/v1/jobs/{jobId}/events',
      operationId: 'followJob',
      tag: 'Jobs',
      summary: 'Follow a job',
      description:
        'Server-sent events `job`. Without `last-event-id` the first event tells where the job stands. The stream ends when the job is settled, void, expired or refunded.',
      access: 'account',
      params: jobParam,
      responses: { 200: { description: 'The stream', events: true } },
      errors: ['STUN_NOT_FOUND', 'STUN_QUOTA', 'STUN_DATA_DELETED'],
      handle: async ({ account, params, header, signal }) => {
        const job = await visibleJob(services, account, params.jobId);
        const given = header('last-event-id');
        const newest = await newestEvent(services, job.job_id);
        // Every job begins with an event. A stream without one would never come to the event that ends it.
        if (newest === undefined) throw new StunError('STUN_DATA_DELETED', `the events were deleted; the job is ${job.state}`);
        const from = given === undefined ? newest : lastEventId(given) + 1;
        return {
          kind: 'stream',
          write: async (response) => {
            services.metrics.openStreams.inc();
            try {
              await writeEvents(response, from - 1, {
                after: (seq) =>
                  db.sql
                    .selectFrom('event')
                    .select(['seq', 'type', 'data'])
                    .where('job_id', '=', job.job_id)
                    .where('seq', '>', seq)
                    .orderBy('seq')
                    .limit(200)
                    .execute(),
                isLast: (event) => isFinal((JSON.parse(event.data) as { state: JobState }).state),
                wake: services.wake,
                topic: orderTopic(job.order_key),
                pollMs: services.settings.pollMs,
                signal,
              });
            } finally {
              services.metrics.openStreams.dec();
            }
          },
        };
      },
    }),
    route({
      method: 'get',
      path: '/v1/jobs/{jobId}/result',
      operationId: 'getResult',
      tag: 'Jobs',
      summary: 'The sealed result, byte for byte',
      access: 'account',
      params: jobParam,
      responses: { 200: { description: 'The sealed result', octets: true } },
      errors: ['STUN_NOT_FOUND', 'STUN_JOB_STATE', 'STUN_DATA_DELETED'],
      handle: async ({ account, params }) => {
        const job = await visibleJob(services, account, params.jobId);
        const row = await db.sql.selectFrom('result').select('sealed').where('job_id', '=', job.job_id).executeTakeFirst();
        if (row !== undefined) return octets(row.sealed);
        if (job.record !== null) throw new StunError('STUN_DATA_DELETED', 'the sealed result was deleted');
        throw new StunError('STUN_JOB_STATE', `a job that is ${job.state} has no result`, { details: { state: job.state } });
      },
    }),
    route({
      method: 'get',
      path: '/v1/jobs/{jobId}/receipt',
      operationId: 'getReceipt',
      tag: 'Jobs',
      summary: "The enclave's receipt, and its place in the settled root once there is one",
      access: 'account',
      params: jobParam,
      responses: { 200: { description: 'The receipt', schema: receiptSchema } },
      errors: ['STUN_NOT_FOUND', 'STUN_JOB_STATE'],
      handle: async ({ account, params }) => {
        const job = await visibleJob(services, account, params.jobId);
        if (job.record === null) {
          throw new StunError('STUN_JOB_STATE', `a job that is ${job.state} has no receipt`, { details: { state: job.state } });
        }
        return json(200, await inclusionOf(services, job, job.record));
      },
    }),
    route({
      method: 'delete',
      path: '/v1/jobs/{jobId}/data',
      operationId: 'deleteJobData',
      tag: 'Jobs',
      summary: 'Delete ciphertext and sealed result now',
      description: 'Receipts, header and states stay: they are what the job is settled by.',
      access: 'account',
      params: jobParam,
      responses: { 204: { description: 'Deleted', nothing: true } },
      errors: ['STUN_NOT_FOUND', 'STUN_ACCESS', 'STUN_JOB_STATE'],
      handle: async ({ account, params }) => {
        const job = await visibleJob(services, account, params.jobId);
        if (job.account !== account)
          throw new StunError('STUN_ACCESS', 'only the account that submitted a job may delete its data');
        if (unservedStates.some((state) => state === job.state)) {
          throw new StunError('STUN_JOB_STATE', 'the job still needs its ciphertext', { details: { state: job.state } });
        }
        await db.transaction(async (trx) => {
          await trx.deleteFrom('payload').where('job_id', '=', job.job_id).execute();
          await trx.deleteFrom('result').where('job_id', '=', job.job_id).execute();
        });
        return empty();
      },
    }),
  ];
}

async function newestEvent(services: Services, jobId: string): Promise<number | undefined> {
  const row = await services.db.sql
    .selectFrom('event')
    .select((eb) => eb.fn.max('seq').as('seq'))
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  return row?.seq ?? undefined;
}
