/** Sign-in, credentials, idempotency keys, webhooks. */
import type { Migration } from './migration.ts';

export const accounts: Migration = {
  number: 1,
  name: 'accounts',
  statements: [
    `create table challenge (
      nonce text primary key, account text not null, audience text not null,
      issued_at_unix int8 not null, expires_at_unix int8 not null)`,
    `create index challenge_expiry on challenge (expires_at_unix)`,
    `create table credential (
      id text primary key, kind text not null check (kind in ('session', 'api_key')), account text not null,
      secret_hash bytea not null, name text not null, created_at_ms int8 not null, expires_at_ms int8,
      revoked_at_ms int8)`,
    `create index credential_account on credential (account, kind, created_at_ms, id)`,
    `create table idempotency (
      account text not null, key text not null, request_hash text not null,
      state text not null check (state in ('running', 'done', 'spent')), status int, body text, created_at_ms int8 not null,
      primary key (account, key))`,
    `create index idempotency_age on idempotency (created_at_ms)`,
    `create table webhook (
      id text primary key, account text not null, url text not null, events text not null, created_at_ms int8 not null)`,
    `create index webhook_account on webhook (account)`,
    `create table webhook_delivery (
      id text primary key, webhook_id text not null references webhook (id) on delete cascade, body text not null,
      state text not null check (state in ('waiting', 'delivered', 'failed')), attempts int not null, last_status int,
      created_at_ms int8 not null, ended_at_ms int8)`,
    `create index webhook_delivery_webhook on webhook_delivery (webhook_id, created_at_ms)`,
  ],
};
