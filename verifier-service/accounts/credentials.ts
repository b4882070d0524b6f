/**
 * Session tokens and API keys: an id that is looked up and a secret of 256 random bits, of which only the hash is stored and compared
 * in constant time.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Kysely } from 'kysely';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Tables } from '../db/schema.ts';
import type { Services } from '../services.ts';

const prefixes = { session: 'stun_s', api_key: 'stun_k' } as const;
const form = /^stun_([sk])_([0-9a-f]{24})_([A-Za-z0-9_-]{43})$/;

/** Kind of a credential. */
export type CredentialKind = keyof typeof prefixes;

/** What is handed out once. */
export interface NewCredential {
  readonly id: string;
  /** The bearer text; not kept. */
  readonly bearer: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update('stun/credential/v1').update(secret).digest();
}

/** Makes a credential of an account. @param sql - the store, or a transaction of it */
export async function createCredential(
  services: Pick<Services, 'nowMs'>,
  sql: Kysely<Tables>,
  kind: CredentialKind,
  account: string,
  name: string,
  expiresAtMs: number | null,
): Promise<NewCredential> {
  const id = randomBytes(12).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  const createdAtMs = services.nowMs();
  await sql
    .insertInto('credential')
    .values({
      id,
      kind,
      account,
      secret_hash: hashOf(secret),
      name,
      created_at_ms: createdAtMs,
      expires_at_ms: expiresAtMs,
      revoked_at_ms: null,
    })
    .execute();
  return { id, bearer: `${prefixes[kind]}_${id}_${secret}`, createdAtMs, expiresAtMs };
}

function refuse(reason: string): never {
  throw new StunError('STUN_UNAUTHENTICATED', reason);
}

/** An authenticated caller. */
export interface Caller {
  readonly account: string;
  readonly kind: CredentialKind;
  readonly credentialId: string;
}

/** The caller of an authorization header. @throws `STUN_UNAUTHENTICATED` */
export async function authenticate(services: Services, header: string | undefined): Promise<Caller> {
  if (header === undefined) refuse('authorization: Bearer with a token or an API key is missing');
  const [scheme, bearer, ...rest] = header.split(' ');
  const match = form.exec(bearer ?? '');
  if (scheme?.toLowerCase() !== 'bearer' || match === null || rest.length > 0)
    refuse('the authorization header has another form');
  const [, letter, id = '', secret = ''] = match;
  const row = await services.db.sql.selectFrom('credential').selectAll().where('id', '=', id).executeTakeFirst();
  // An unknown id is compared too, with a hash that nothing has, so that both refusals take the same time.
  const stored = row === undefined ? Buffer.alloc(32) : Buffer.from(row.secret_hash);
  const same = timingSafeEqual(stored, hashOf(secret));
  if (row === undefined || !same || prefixes[row.kind] !== `stun_${letter}`) refuse('the token or API key is unknown');
  if (row.revoked_at_ms !== null) refuse('the token or API key was revoked');
  if (row.expires_at_ms !== null && row.expires_at_ms <= services.nowMs()) refuse('the token or API key has expired');
  return { account: row.account, kind: row.kind, credentialId: row.id };
}
