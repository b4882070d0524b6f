/** Segments, proofs, what was seen on chain. */
import type { Migration } from './migration.ts';

export const settlement: Migration = {
  number: 3,
  name: 'settlement',
  statements: [
    `create table segment (
      segment_id text primary key, lane_id text not null references lane (lane_id), order_key text not null,
      provider text not null, lane_index int8 not null, first_k int not null, count int not null, bundle text not null,
      bundle_sha256 text not null, lane_old text not null, lane_new text not null, receipts_root text not null,
      total text not null, state text not null check (state in ('batched', 'proven', 'settled', 'failed', 'refunded')),
      proofs_made int not null, proof text, valid_at_unix int8, sends int not null, sent_key text, code text, reason text, transaction_hash text, block_number int8,
      credited text, fee text, shortfall text, created_at_ms int8 not null, proven_at_ms int8, settled_at_ms int8,
      unique (lane_id, first_k))`,
    `create index segment_open on segment (state) where state in ('batched', 'proven')`,
    `create index segment_order on segment (order_key, created_at_ms, segment_id)`,
    `create table chain_settlement (
      transaction_hash text not null, log_index int not null, block_number int8 not null, order_key text not null,
      provider text not null, lane_index int8 not null, lane_old text not null, lane_new text not null,
      receipts_root text not null, total text not null, credited text not null, fee text not null, shortfall text not null,
      primary key (transaction_hash, log_index))`,
    `create index chain_settlement_order on chain_settlement (order_key, block_number, log_index)`,
    `create index chain_settlement_lane on chain_settlement (order_key, provider, lane_index, lane_new)`,
    `create table chain_block (number int8 primary key, hash text not null)`,
    `create table sender_account (
      chain_id int8 not null, account text not null, token text, expires_at_ms int8, next_sequence int8 not null,
      primary key (chain_id, account))`,
    `create table sender_intent (
      key text primary key, chain_id int8 not null, account text not null, sequence int8 not null, revision int8 not null,
      final boolean not null, intent text not null, unique (chain_id, account, sequence))`,
    `create index sender_intent_active on sender_intent (chain_id, account, sequence) where not final`,
  ],
};
