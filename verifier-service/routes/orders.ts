/** Orders, openings, event streams, settlement status. */
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import { parseEnvelope } from '#protocol/sealing/envelope.ts';
import { addressHex, bytes32Hex, decimal, fieldHex, unixSeconds } from '#protocol/wire/scalars.ts';
import { placeSchema, termsSchema } from '#protocol/wire/order.ts';
import { empty, json } from '../http/reply.ts';
import { jsonBody, octetsBody, route, type Route } from '../http/route.ts';
import { lastEventId, writeEvents } from '../http/sse.ts';
import { HPKE_ENC_LENGTH } from '../jobs/envelopes.ts';
import { orderTopic } from '../jobs/wake.ts';
import { visibleOrder } from '../orders/access.ts';
import { announceOrder } from '../orders/announce.ts';
import type { Services } from '../services.ts';

const orderParam = z.strictObject({ orderKey: bytes32Hex });
const orderSchema = z
  .strictObject({
    orderKey: bytes32Hex,
    orderId: fieldHex,
    place: placeSchema,
    terms: termsSchema,
    domain: fieldHex,
    deadlineUnix: unixSeconds,
    graceSeconds: z.int(),
    budgets: z.array(z.strictObject({ provider: addressHex, remaining: decimal, funded: decimal, refunded: z.boolean() })),
    jobs: z.record(z.string(), z.int()).meta({ description: 'Number of jobs by state that the account may see' }),
  })
  .meta({ id: 'Order' });
const settlementSchema = z
  .strictObject({
    transactionHash: bytes32Hex,
    blockNumber: z.int(),
    provider: addressHex,
    laneIndex: z.int(),
    laneOld: fieldHex,
    laneNew: fieldHex,
    receiptsRoot: fieldHex,
    total: decimal,
    credited: decimal,
    fee: decimal,
    shortfall: decimal,
  })
  .meta({ id: 'Settlement' });

/** The routes of orders. */
export function orderRoutes(services: Services): readonly Route[] {
  const { db } = services;
  return [
    route({
      method: 'post',
      path: '/v1/orders',
      operationId: 'announceOrder',
      tag: 'Orders',
      summary: 'Announce an order that is on chain',
      access: 'account',
      body: jsonBody(z.strictObject({ place: placeSchema, orderId: fieldHex, terms: termsSchema })),
      responses: {
        200: { description: 'Known already', schema: z.strictObject({ orderKey: bytes32Hex }) },
        201: { description: 'Taken', schema: z.strictObject({ orderKey: bytes32Hex }) },
      },
      errors: ['STUN_ORDER_PLACE', 'STUN_ORDER_UNKNOWN', 'STUN_ORDER_DOMAIN', 'STUN_ORDER_TERMS', 'STUN_CHAIN_UNAVAILABLE'],
      handle: async ({ account, body }) => {
        const { orderKey, created } = await announceOrder(services, account, body);
        return json(created ? 201 : 200, { orderKey });
      },
    }),
    route({
      method: 'get',
      path: '/v1/orders/{orderKey}',
      operationId: 'getOrder',
      tag: 'Orders',
      summary: 'An order with budgets and counts',
      access: 'account',
      params: orderParam,
      responses: { 200: { description: 'The order', schema: orderSchema } },
      errors: ['STUN_NOT_FOUND'],
      handle: async ({ account, params }) => {
        const { order, sight } = await visibleOrder(services, account, params.orderKey);
        const budgets = await db.sql
          .selectFrom('order_budget')
          .select(['provider', 'remaining', 'funded', 'refunded'])
          .where('order_key', '=', order.order_key)
          .orderBy('provider')
          .execute();
        const counts = await db.sql
          .selectFrom('job')
          .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
          .where('order_key', '=', order.order_key)
          .$if(sight === 'own', (q) => q.where((eb) => eb.or([eb('account', '=', account), eb('provider', '=', account)])))
          .groupBy('state')
          .execute();
        return json(200, {
          orderKey: order.order_key,
          orderId: order.order_id,
          place: { chainId: order.chain_id, escrow: order.escrow, funder: order.funder, token: order.token },
          terms: JSON.parse(order.terms) as unknown,
          domain: order.domain,
          deadlineUnix: order.deadline_unix,
          graceSeconds: order.grace_seconds,
          budgets,
          jobs: Object.fromEntries(counts.map((row) => [row.state, row.count])),
        });
      },
    }),
    route({
      method: 'put',
      path: '/v1/orders/{orderKey}/openings/{keysetDigest}',
      operationId: 'putOpening',
      tag: 'Orders',
      summary: "Leave the order's sealed opening for an enclave",
      access: 'account',
      params: z.strictObject({ orderKey: bytes32Hex, keysetDigest: bytes32Hex }),
      body: octetsBody,
      responses: { 204: { description: 'Kept', nothing: true } },
      errors: ['STUN_NOT_FOUND', 'STUN_ENCLAVE_UNKNOWN', 'STUN_ENVELOPE_LAYOUT', 'STUN_ACCESS'],
      handle: async ({ account, params, body }) => {
        const { order } = await visibleOrder(services, account, params.orderKey);
        parseEnvelope('opening', HPKE_ENC_LENGTH, body);
        const enclave = await db.sql
          .selectFrom('enclave')
          .select('keyset_digest')
          .where('keyset_digest', '=', params.keysetDigest)
          .executeTakeFirst();
        if (enclave === undefined) throw new StunError('STUN_ENCLAVE_UNKNOWN', 'no enclave with this keyset is listed');
        // Every account has its own: a stranger cannot replace the opening that the customer left.
        const kept = await db.sql
          .insertInto('opening')
          .values({
            order_key: params.orderKey,
            keyset_digest: params.keysetDigest,
            account,
            envelope: body,
            created_at_ms: services.nowMs(),
            expires_at_unix: order.deadline_unix,
          })
          .onConflict((conflict) =>
            conflict
              .columns(['order_key', 'keyset_digest', 'account'])
              .doUpdateSet({ envelope: body, created_at_ms: services.nowMs() }),
          )
          .returning('account')
          .executeTakeFirst();
        if (kept === undefined) throw new StunError('STUN_INTERNAL', 'an opening was not kept');
        return empty();
      },
    }),
    route({
      method: 'get',
      path: '/v1/orders/{orderKey}/events',
      operationId: 'followOrder',
      tag: 'Orders',
      summary: 'Follow jobs and settlements of an order',
      description: 'Server-sent events `job` and `settlement`, from the first one or after `last-event-id`.',
      access: 'account',
      params: orderParam,
      responses: { 200: { description: 'The stream', events: true } },
      errors: ['STUN_NOT_FOUND', 'STUN_QUOTA'],
      handle: async ({ account, params, header, signal }) => {
        const { order, sight } = await visibleOrder(services, account, params.orderKey);
        const from = lastEventId(header('last-event-id'));
        return {
          kind: 'stream',
          write: async (response) => {
            services.metrics.openStreams.inc();
            try {
              await writeEvents(response, from, {
                after: (seq) =>
                  db.sql
                    .selectFrom('event')
                    .select(['seq', 'type', 'data'])
                    .where('order_key', '=', order.order_key)
                    .where('seq', '>', seq)
                    .$if(sight === 'own', (q) =>
                      q.where((eb) => eb.or([eb('account', '=', account), eb('provider', '=', account)])),
                    )
                    .orderBy('seq')
                    .limit(200)
                    .execute(),
                isLast: () => false,
                wake: services.wake,
                topic: orderTopic(order.order_key),
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
      path: '/v1/orders/{orderKey}/settlements',
      operationId: 'listSettlements',
      tag: 'Orders',
      summary: 'Settlements of an order seen on chain',
      access: 'account',
      params: orderParam,
      responses: { 200: { description: 'In chain order', schema: z.strictObject({ items: z.array(settlementSchema) }) } },
      errors: ['STUN_NOT_FOUND'],
      handle: async ({ account, params }) => {
        const { order } = await visibleOrder(services, account, params.orderKey);
        const rows = await db.sql
          .selectFrom('chain_settlement')
          .selectAll()
          .where('order_key', '=', order.order_key)
          .orderBy('block_number')
          .orderBy('log_index')
          .execute();
        const items = rows.map((row) => ({
          transactionHash: row.transaction_hash,
          blockNumber: row.block_number,
          provider: row.provider,
          laneIndex: row.lane_index,
          laneOld: row.lane_old,
          laneNew: row.lane_new,
          receiptsRoot: row.receipts_root,
          total: row.total,
          credited: row.credited,
          fee: row.fee,
          shortfall: row.shortfall,
        }));
        return json(200, { items });
      },
    }),
  ];
}
