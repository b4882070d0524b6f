/** Enclaves, orders, lanes, jobs, leases, events. Field elements, digests and amounts are text in their wire form. */
import type { Migration } from './migration.ts';

const jobStates = `('queued', 'leased', 'running', 'receipted', 'batched', 'proven', 'settled', 'void', 'expired', 'refunded')`;

export const orders: Migration = {
  number: 2,
  name: 'orders',
  statements: [
    `create table enclave (
      keyset_digest text primary key, provider text not null, keyset bytea not null, signer_id text not null,
      policy_id text not null, policy text not null, evidence text not null, evidence_digest text not null,
      simulated boolean not null, platform int not null, hardware_id_hash text not null,
      leaf_index int not null, leaf_expires_at_unix int8 not null,
      listed boolean not null, listed_at_ms int8 not null, delisted_at_ms int8, last_seen_at_ms int8 not null,
      quoted_at_unix int8 not null, quote_nonce text, quote_nonce_at_unix int8)`,
    `create index enclave_listed on enclave (listed, listed_at_ms, keyset_digest)`,
    `create index enclave_signer on enclave (provider, signer_id)`,
    `create table enclave_model (
      keyset_digest text not null references enclave (keyset_digest) on delete cascade, model_id text not null,
      price text not null, name text not null, manifest text not null, inputs text not null, outputs text not null,
      primary key (keyset_digest, model_id))`,
    `create index enclave_model_id on enclave_model (model_id)`,
    `create table orders (
      order_key text primary key, order_id text not null, funder text not null, chain_id text not null, escrow text not null,
      token text not null, terms text not null, domain text not null, deadline_unix int8 not null,
      grace_seconds int8 not null, settlement_family text not null, price_scale text not null, created_at_ms int8 not null,
      event_seq int8 not null)`,
    `create table order_account (
      order_key text not null references orders (order_key), account text not null, created_at_ms int8 not null,
      primary key (order_key, account))`,
    `create index order_account_list on order_account (account, created_at_ms, order_key)`,
    `create table order_budget (
      order_key text not null references orders (order_key), provider text not null, remaining text not null,
      funded text not null, refunded boolean not null, primary key (order_key, provider))`,
    `create table opening (
      order_key text not null references orders (order_key), keyset_digest text not null, account text not null,
      envelope bytea not null, created_at_ms int8 not null, primary key (order_key, keyset_digest, account))`,
    `create table lane (
      lane_id text primary key, order_key text not null references orders (order_key), provider text not null,
      lane_index int8 not null, demand_key text not null, account text not null,
      keyset_digest text not null references enclave (keyset_digest), signer_id text not null, head text not null,
      next_k int not null, lease_k int not null, active_job text, state text not null check (state in ('open', 'closed')),
      close_code text, created_at_ms int8 not null, unique (order_key, provider, lane_index, demand_key))`,
    `create index lane_work on lane (keyset_digest) where state = 'open' and active_job is null`,
    `create table job (
      job_id text primary key, lane_id text not null references lane (lane_id), order_key text not null, account text not null,
      provider text not null, keyset_digest text not null, k int not null, header text not null, max_price text not null,
      envelope_sha256 text not null, envelope_bytes int8 not null, state text not null check (state in ${jobStates}),
      outcome text check (outcome in ('served', 'failed', 'void')), code text, reason text, price text, record text,
      segment_id text, segment_index int, created_at_ms int8 not null, leased_at_ms int8, running_at_ms int8,
      receipted_at_ms int8, batched_at_ms int8, proven_at_ms int8, settled_at_ms int8, ended_at_ms int8,
      unique (lane_id, k))`,
    `create index job_account on job (account, created_at_ms, job_id)`,
    `create index job_open on job (order_key, provider)
      where state in ('queued', 'leased', 'running', 'receipted', 'batched', 'proven')`,
    `create index job_account_open on job (account) where state in ('queued', 'leased', 'running')`,
    `create index job_enclave_queued on job (keyset_digest) where state = 'queued'`,
    `create index job_segment on job (segment_id) where segment_id is not null`,
    `create table payload (job_id text primary key references job (job_id), envelope bytea not null, created_at_ms int8 not null)`,
    `create index payload_age on payload (created_at_ms)`,
    `create table result (job_id text primary key references job (job_id), sealed bytea not null, created_at_ms int8 not null)`,
    `create index result_age on result (created_at_ms)`,
    `create table lease (
      lease_id text primary key, job_id text not null references job (job_id), provider text not null,
      keyset_digest text not null, state text not null check (state in ('active', 'completed', 'declined', 'expired')),
      expires_at_ms int8 not null, created_at_ms int8 not null)`,
    `create index lease_active on lease (expires_at_ms) where state = 'active'`,
    `create index lease_job on lease (job_id)`,
    `create table event (
      order_key text not null references orders (order_key), seq int8 not null, type text not null, account text,
      provider text not null, job_id text, segment_id text, data text not null, created_at_ms int8 not null,
      primary key (order_key, seq))`,
    `create index event_job on event (job_id) where job_id is not null`,
  ],
};
