/** Sign-in and API keys. */
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import { addressHex, bytes32Hex, bytesHex, unixSeconds } from '#protocol/wire/scalars.ts';
import { createCredential } from '../accounts/credentials.ts';
import { createChallenge, signIn } from '../accounts/sign-in.ts';
import { pageOf, pageQuery, pageSchema, placeOf } from '../http/pagination.ts';
import { empty, json } from '../http/reply.ts';
import { jsonBody, route, type Route } from '../http/route.ts';
import type { Services } from '../services.ts';

const audience = z.string().min(1).max(200);
const challengeSchema = z
  .strictObject({
    account: addressHex,
    audience,
    nonce: bytes32Hex,
    issuedAtUnix: unixSeconds,
    expiresAtUnix: unixSeconds,
    chainId: z.int(),
  })
  .meta({ id: 'Challenge' });
const sessionSchema = z.strictObject({ token: z.string(), expiresAtUnix: unixSeconds }).meta({ id: 'Session' });
const apiKeySchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    createdAtUnixMs: z.int(),
    expiresAtUnixMs: z.int().optional(),
    revokedAtUnixMs: z.int().optional(),
  })
  .meta({ id: 'ApiKey' });
const newApiKeySchema = apiKeySchema
  .extend({ key: z.string().meta({ description: 'Shown this once' }) })
  .meta({ id: 'NewApiKey' });

/** The routes of accounts. */
export function accountRoutes(services: Services): readonly Route[] {
  const { db } = services;
  return [
    route({
      method: 'post',
      path: '/v1/session/challenges',
      operationId: 'createChallenge',
      tag: 'Accounts',
      summary: 'Ask for a challenge to sign in with',
      access: 'public',
      body: jsonBody(z.strictObject({ account: addressHex })),
      responses: { 201: { description: 'Sign it as EIP-712 SignIn and send it to /v1/sessions', schema: challengeSchema } },
      errors: [],
      handle: async ({ body }) => json(201, await createChallenge(services, body.account)),
    }),
    route({
      method: 'post',
      path: '/v1/sessions',
      operationId: 'createSession',
      tag: 'Accounts',
      summary: 'Sign in with a signed challenge',
      access: 'public',
      body: jsonBody(
        z.strictObject({
          account: addressHex,
          audience,
          nonce: bytes32Hex,
          issuedAtUnix: unixSeconds,
          expiresAtUnix: unixSeconds,
          signature: bytesHex,
        }),
      ),
      responses: { 201: { description: 'A bearer token', schema: sessionSchema } },
      errors: ['STUN_SIGN_IN'],
      handle: async ({ body: { signature, ...message } }) => json(201, await signIn(services, message, signature)),
    }),
    route({
      method: 'delete',
      path: '/v1/sessions',
      operationId: 'deleteSessions',
      tag: 'Accounts',
      summary: 'End all sessions of the account',
      access: 'account',
      responses: { 204: { description: 'All session tokens of the account are revoked', nothing: true } },
      errors: [],
      handle: async ({ account }) => {
        await db.sql
          .updateTable('credential')
          .set({ revoked_at_ms: services.nowMs() })
          .where('account', '=', account)
          .where('kind', '=', 'session')
          .where('revoked_at_ms', 'is', null)
          .execute();
        return empty();
      },
    }),
    route({
      method: 'post',
      path: '/v1/api-keys',
      operationId: 'createApiKey',
      tag: 'Accounts',
      summary: 'Make an API key',
      access: 'account',
      takesKey: true,
      body: jsonBody(
        z.strictObject({ name: z.string().min(1).max(100), expiresInSeconds: z.int().min(60).max(315_360_000).optional() }),
      ),
      responses: { 201: { description: 'The key, shown this once', schema: newApiKeySchema } },
      errors: ['STUN_IDEMPOTENCY_SPENT', 'STUN_IDEMPOTENCY_MISMATCH'],
      handle: async ({ account, body, spendKey }) => {
        const expires = body.expiresInSeconds === undefined ? null : services.nowMs() + body.expiresInSeconds * 1000;
        const made = await db.transaction(async (trx) => {
          await spendKey(trx);
          return createCredential(services, trx, 'api_key', account, body.name, expires);
        });
        const shown = { id: made.id, name: body.name, key: made.bearer, createdAtUnixMs: made.createdAtMs };
        return json(201, expires === null ? shown : { ...shown, expiresAtUnixMs: expires });
      },
    }),
    route({
      method: 'get',
      path: '/v1/api-keys',
      operationId: 'listApiKeys',
      tag: 'Accounts',
      summary: 'List API keys, newest first',
      access: 'account',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page', schema: pageSchema(apiKeySchema) } },
      errors: ['STUN_CURSOR'],
      handle: async ({ account, query }) => {
        const after = placeOf(query.cursor);
        const rows = await db.sql
          .selectFrom('credential')
          .select(['id', 'name', 'created_at_ms', 'expires_at_ms', 'revoked_at_ms'])
          .where('account', '=', account)
          .where('kind', '=', 'api_key')
          .$if(after !== undefined, (q) =>
            q.where((eb) => eb(eb.refTuple('created_at_ms', 'id'), '<', eb.tuple(after?.atMs ?? 0, after?.id ?? ''))),
          )
          .orderBy('created_at_ms', 'desc')
          .orderBy('id', 'desc')
          .limit(query.limit + 1)
          .execute();
        const page = pageOf(
          rows,
          query.limit,
          (row) => ({ atMs: row.created_at_ms, id: row.id }),
          (row) => ({
            id: row.id,
            name: row.name,
            createdAtUnixMs: row.created_at_ms,
            ...(row.expires_at_ms === null ? {} : { expiresAtUnixMs: row.expires_at_ms }),
            ...(row.revoked_at_ms === null ? {} : { revokedAtUnixMs: row.revoked_at_ms }),
          }),
        );
        return json(200, page);
      },
    }),
    route({
      method: 'delete',
      path: '/v1/api-keys/{id}',
      operationId: 'deleteApiKey',
      tag: 'Accounts',
      summary: 'Revoke an API key',
      access: 'account',
      params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{24}$/) }),
      responses: { 204: { description: 'The key is revoked', nothing: true } },
      errors: ['STUN_NOT_FOUND'],
      handle: async ({ account, params }) => {
        const revoked = await db.sql
          .updateTable('credential')
          .set((eb) => ({ revoked_at_ms: eb.fn.coalesce('revoked_at_ms', eb.val(services.nowMs())) }))
          .where('id', '=', params.id)
          .where('account', '=', account)
          .where('kind', '=', 'api_key')
          .returning('id')
          .executeTakeFirst();
        if (revoked === undefined) throw new StunError('STUN_NOT_FOUND', 'the account has no such API key');
        return empty();
      },
    }),
  ];
}
