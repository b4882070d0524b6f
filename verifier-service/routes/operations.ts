/** Health, readiness, metrics, the OpenAPI document. */
import { z } from 'zod';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { json } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { SettlementSender } from '../ports.ts';
import { nowUnix, type Services } from '../services.ts';

/** One part of readiness: throws when it is not. */
export interface ReadinessCheck {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/** The store answers. */
export const databaseCheck = (services: Pick<Services, 'db'>): ReadinessCheck => ({
  name: 'database',
  check: () => services.db.ping(),
});

/** The node answers. */
export const chainCheck = (services: Pick<Services, 'chain'>): ReadinessCheck => ({
  name: 'chain',
  check: async () => void (await services.chain.newestBlock()),
});

/** A listed worker made a real quote not long ago. */
export const quoteCheck = (services: Services): ReadinessCheck => ({
  name: 'worker-quote',
  check: async () => {
    const since = nowUnix(services) - services.settings.readinessQuoteMaxAgeSeconds;
    const seen = services.nowMs() - services.settings.enclaveGoneSeconds * 1000;
    const row = await services.db.sql
      .selectFrom('enclave')
      .select('keyset_digest')
      .where('listed', '=', true)
      .where('last_seen_at_ms', '>=', seen)
      .where('quoted_at_unix', '>=', since)
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) throw new StunError('STUN_NOT_READY', 'no listed worker made a quote recently');
  },
});

/** The settlements of this process are sent. */
export const senderCheck = (sender: Pick<SettlementSender, 'assertSending'>): ReadinessCheck => ({
  name: 'settlement-sender',
  check: async () => sender.assertSending(),
});

const readinessSchema = z
  .strictObject({
    ready: z.boolean(),
    checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), code: z.string().optional() })),
  })
  .meta({ id: 'Readiness' });

/** The routes of operators. @param document - the OpenAPI document, made last because it holds these routes too */
export function operationRoutes(
  checks: readonly ReadinessCheck[],
  metrics: () => Promise<string>,
  document: () => object,
): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/healthz',
      operationId: 'getHealth',
      tag: 'Operations',
      summary: 'Whether the process serves at all',
      access: 'public',
      responses: { 200: { description: 'It does', schema: z.strictObject({ status: z.literal('ok') }) } },
      errors: [],
      handle: async () => json(200, { status: 'ok' }),
    }),
    route({
      method: 'get',
      path: '/readyz',
      operationId: 'getReadiness',
      tag: 'Operations',
      summary: 'Whether everything the service needs is there',
      description:
        'Store, chain, a recent real quote of a listed worker, and, in a process that settles, its sender. Workers list themselves on a service that is not ready yet: route them by /healthz.',
      access: 'public',
      responses: {
        200: { description: 'Ready', schema: readinessSchema },
        503: { description: 'Not ready', schema: readinessSchema },
      },
      errors: [],
      handle: async () => {
        const results = await Promise.all(
          checks.map(async ({ name, check }) => {
            try {
              await check();
              return { name, ok: true };
            } catch (thrown) {
              return { name, ok: false, code: asStunError(thrown).code };
            }
          }),
        );
        const ready = results.every((result) => result.ok);
        return json(ready ? 200 : 503, { ready, checks: results });
      },
    }),
    route({
      method: 'get',
      path: '/metrics',
      operationId: 'getMetrics',
      tag: 'Operations',
      summary: 'Prometheus metrics',
      access: 'public',
      responses: { 200: { description: 'Text exposition format', text: 'text/plain' } },
      errors: [],
      handle: async () => ({ kind: 'text', text: await metrics(), contentType: 'text/plain; version=0.0.4; charset=utf-8' }),
    }),
    route({
      method: 'get',
      path: '/openapi.json',
      operationId: 'getOpenApi',
      tag: 'Operations',
      summary: 'This document',
      access: 'public',
      responses: { 200: { description: 'OpenAPI 3.1', schema: z.record(z.string(), z.unknown()) } },
      errors: [],
      handle: async () => json(200, document()),
    }),
  ];
}
