/** Webhooks of an account. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import { empty, json } from '../http/reply.ts';
import { jsonBody, route, type Route } from '../http/route.ts';
import type { Services } from '../services.ts';
import { checkWebhookUrl } from '../webhooks/address.ts';
import { webhookKey } from '../webhooks/signature.ts';

const MOST = 20;
const events = z
  .array(z.enum(['job', 'settlement']))
  .min(1)
  .max(2);
const webhookSchema = z.strictObject({ id: z.uuid(), url: z.string(), events, createdAtUnixMs: z.int() }).meta({ id: 'Webhook' });
const newWebhookSchema = webhookSchema
  .extend({ secret: z.string().meta({ description: 'Key of the stun-signature header; shown this once' }) })
  .meta({ id: 'NewWebhook' });

/** The routes of webhooks. */
export function webhookRoutes(services: Services): readonly Route[] {
  const { sql } = services.db;
  return [
    route({
      method: 'post',
      path: '/v1/webhooks',
      operationId: 'createWebhook',
      tag: 'Webhooks',
      summary: 'Have events of the account sent to an address',
      description:
        'Deliveries carry `stun-signature: t=UNIX,v1=HEX`, HMAC-SHA256 of `t.body` under the secret. At least once: use the id in the body.',
      access: 'account',
      takesKey: true,
      body: jsonBody(z.strictObject({ url: z.string().min(1).max(2000), events })),
      responses: { 201: { description: 'The webhook with its secret', schema: newWebhookSchema } },
      errors: ['STUN_WEBHOOK_URL', 'STUN_QUOTA', 'STUN_IDEMPOTENCY_SPENT', 'STUN_IDEMPOTENCY_MISMATCH'],
      handle: async ({ account, body, spendKey }) => {
        const url = checkWebhookUrl(body.url, services.settings.webhookPrivateAddresses).href;
        const row = {
          id: randomUUID(),
          account,
          url,
          events: [...new Set(body.events)].join(','),
          created_at_ms: services.nowMs(),
        };
        await services.db.transaction(async (trx) => {
          await spendKey(trx);
          const { count } = await trx
            .selectFrom('webhook')
            .select((eb) => eb.fn.countAll<number>().as('count'))
            .where('account', '=', account)
            .executeTakeFirstOrThrow();
          if (count >= MOST) throw new StunError('STUN_QUOTA', `an account may have ${MOST} webhooks`);
          await trx.insertInto('webhook').values(row).execute();
        });
        return json(201, { ...viewOf(row), secret: webhookKey(services.secretKey, row.id) });
      },
    }),
    route({
      method: 'get',
      path: '/v1/webhooks',
      operationId: 'listWebhooks',
      tag: 'Webhooks',
      summary: 'Webhooks of the account',
      access: 'account',
      responses: { 200: { description: 'All of them', schema: z.strictObject({ items: z.array(webhookSchema) }) } },
      errors: [],
      handle: async ({ account }) => {
        const rows = await sql
          .selectFrom('webhook')
          .selectAll()
          .where('account', '=', account)
          .orderBy('created_at_ms')
          .execute();
        return json(200, { items: rows.map(viewOf) });
      },
    }),
    route({
      method: 'delete',
      path: '/v1/webhooks/{id}',
      operationId: 'deleteWebhook',
      tag: 'Webhooks',
      summary: 'Remove a webhook',
      access: 'account',
      params: z.strictObject({ id: z.uuid() }),
      responses: { 204: { description: 'Removed, with deliveries that wait', nothing: true } },
      errors: ['STUN_NOT_FOUND'],
      handle: async ({ account, params }) => {
        const gone = await sql
          .deleteFrom('webhook')
          .where('id', '=', params.id)
          .where('account', '=', account)
          .returning('id')
          .executeTakeFirst();
        if (gone === undefined) throw new StunError('STUN_NOT_FOUND', 'the account has no such webhook');
        return empty();
      },
    }),
  ];
}

function viewOf(row: { id: string; url: string; events: string; created_at_ms: number }): object {
  return { id: row.id, url: row.url, events: row.events.split(','), createdAtUnixMs: row.created_at_ms };
}
