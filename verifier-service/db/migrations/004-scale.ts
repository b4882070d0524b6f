/** Indexes for what is asked again and again of a full store: counts of an order, gauges, sweeps. bench/capacity.ts holds them to it. */
import type { Migration } from './migration.ts';

export const scale: Migration = {
  number: 4,
  name: 'scale',
  statements: [
    `create index job_order on job (order_key, state)`,
    `create index job_unfinished on job (state)
      where state in ('queued', 'leased', 'running', 'receipted', 'batched', 'proven')`,
    `create index segment_unsettled on segment (state) where state in ('batched', 'proven', 'failed')`,
    `create index credential_session on credential (expires_at_ms) where kind = 'session'`,
  ],
};
