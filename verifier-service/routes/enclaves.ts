/** Listings of enclaves. */
import { z } from 'zod';
import type { Selectable } from 'kysely';
import { StunError } from '#protocol/errors/stun-error.ts';
import { addressHex, bytes32Hex, fieldHex } from '#protocol/wire/scalars.ts';
import type { Tables } from '../db/schema.ts';
import { delistEnclave, listEnclave } from '../enclaves/listing.ts';
import { enclaveSchema, enclaveSummarySchema, listingSchema } from '../enclaves/schemas.ts';
import { pageOf, pageQuery, pageSchema, placeOf } from '../http/pagination.ts';
import { empty, json } from '../http/reply.ts';
import { jsonBody, route, type Route } from '../http/route.ts';
import type { Services } from '../services.ts';

const digestParam = z.strictObject({ keysetDigest: bytes32Hex });

/** The routes of enclaves. */
export function enclaveRoutes(services: Services): readonly Route[] {
  const { db } = services;
  return [
    route({
      method: 'post',
      path: '/v1/enclaves',
      operationId: 'listEnclave',
      tag: 'Enclaves',
      summary: 'List an enclave, or renew its listing (provider)',
      access: 'account',
      body: jsonBody(listingSchema),
      responses: {
        200: { description: 'Renewed', schema: z.strictObject({ keysetDigest: bytes32Hex }) },
        201: { description: 'Listed', schema: z.strictObject({ keysetDigest: bytes32Hex }) },
      },
      errors: ['STUN_ACCESS', 'STUN_ENCLAVE_LISTING', 'STUN_ENCLAVE_NOT_LIVE', 'STUN_EVIDENCE_NONCE', 'STUN_CHAIN_UNAVAILABLE'],
      handle: async ({ account, body }) => {
        const { keysetDigest, created } = await listEnclave(services, account, body);
        return json(created ? 201 : 200, { keysetDigest });
      },
    }),
    route({
      method: 'get',
      path: '/v1/enclaves',
      operationId: 'listEnclaves',
      tag: 'Enclaves',
      summary: 'Listed enclaves, newest first',
      access: 'public',
      query: z.strictObject({
        ...pageQuery,
        provider: addressHex.optional(),
        policyId: fieldHex.optional(),
        modelId: fieldHex.optional(),
      }),
      responses: { 200: { description: 'A page', schema: pageSchema(enclaveSummarySchema) } },
      errors: ['STUN_CURSOR'],
      handle: async ({ query }) => {
        const after = placeOf(query.cursor);
        const rows = await db.sql
          .selectFrom('enclave')
          .selectAll()
          .where('listed', '=', true)
          .where('last_seen_at_ms', '>=', services.nowMs() - services.settings.enclaveGoneSeconds * 1000)
          .$if(query.provider !== undefined, (q) => q.where('provider', '=', query.provider ?? ''))
          .$if(query.policyId !== undefined, (q) => q.where('policy_id', '=', query.policyId ?? ''))
          .$if(query.modelId !== undefined, (q) =>
            q.where('keyset_digest', 'in', (eb) =>
              eb
                .selectFrom('enclave_model')
                .select('enclave_model.keyset_digest')
                .where('model_id', '=', query.modelId ?? ''),
            ),
          )
          .$if(after !== undefined, (q) =>
            q.where((eb) => eb(eb.refTuple('listed_at_ms', 'keyset_digest'), '<', eb.tuple(after?.atMs ?? 0, after?.id ?? ''))),
          )
          .orderBy('listed_at_ms', 'desc')
          .orderBy('keyset_digest', 'desc')
          .limit(query.limit + 1)
          .execute();
        const models = await modelsOf(
          services,
          rows.map((row) => row.keyset_digest),
        );
        const page = pageOf(
          rows,
          query.limit,
          (row) => ({ atMs: row.listed_at_ms, id: row.keyset_digest }),
          (row) => summaryOf(row, models.get(row.keyset_digest) ?? []),
        );
        return json(200, page);
      },
    }),
    route({
      method: 'get',
      path: '/v1/enclaves/{keysetDigest}',
      operationId: 'getEnclave',
      tag: 'Enclaves',
      summary: 'An enclave with keyset, evidence and policy',
      description: 'Verify the evidence yourself before you seal anything to the keyset.',
      access: 'public',
      params: digestParam,
      responses: { 200: { description: 'The enclave', schema: enclaveSchema } },
      errors: ['STUN_ENCLAVE_UNKNOWN'],
      handle: async ({ params }) => {
        const row = await db.sql
          .selectFrom('enclave')
          .selectAll()
          .where('keyset_digest', '=', params.keysetDigest)
          .executeTakeFirst();
        if (row === undefined) throw new StunError('STUN_ENCLAVE_UNKNOWN', 'no enclave with this keyset was listed here');
        const models = await modelsOf(services, [row.keyset_digest]);
        const policy: unknown = JSON.parse(row.policy);
        return json(200, {
          ...summaryOf(row, models.get(row.keyset_digest) ?? []),
          keyset: `0x${Buffer.from(row.keyset).toString('hex')}`,
          evidence: row.evidence,
          policy,
        });
      },
    }),
    route({
      method: 'delete',
      path: '/v1/enclaves/{keysetDigest}',
      operationId: 'delistEnclave',
      tag: 'Enclaves',
      summary: 'End a listing (provider)',
      access: 'account',
      params: digestParam,
      responses: { 204: { description: 'The listing ended; what waited for the enclave is void', nothing: true } },
      errors: ['STUN_ENCLAVE_UNKNOWN', 'STUN_ACCESS'],
      handle: async ({ account, params }) => {
        await delistEnclave(services, account, params.keysetDigest);
        return empty();
      },
    }),
  ];
}

type ModelRow = Selectable<Tables['enclave_model']>;

async function modelsOf(services: Services, digests: readonly string[]): Promise<Map<string, ModelRow[]>> {
  if (digests.length === 0) return new Map();
  const rows = await services.db.sql
    .selectFrom('enclave_model')
    .selectAll()
    .where('keyset_digest', 'in', [...digests])
    .orderBy('model_id')
    .execute();
  return Map.groupBy(rows, (row) => row.keyset_digest);
}

function summaryOf(row: Selectable<Tables['enclave']>, models: readonly ModelRow[]): object {
  return {
    keysetDigest: row.keyset_digest,
    provider: row.provider,
    signerId: row.signer_id,
    policyId: row.policy_id,
    simulated: row.simulated,
    platform: row.platform,
    leafIndex: row.leaf_index,
    leafExpiresAtUnix: row.leaf_expires_at_unix,
    hardwareIdHash: row.hardware_id_hash,
    evidenceDigest: row.evidence_digest,
    listed: row.listed,
    listedAtUnix: Math.floor(row.listed_at_ms / 1000),
    lastSeenAtUnix: Math.floor(row.last_seen_at_ms / 1000),
    quotedAtUnix: row.quoted_at_unix,
    models: models.map((model) => ({
      modelId: model.model_id,
      price: model.price,
      name: model.name,
      manifest: JSON.parse(model.manifest) as unknown,
      inputs: JSON.parse(model.inputs) as unknown,
      outputs: JSON.parse(model.outputs) as unknown,
    })),
  };
}
