/** Batches of challengeable orders in the challenge court, by the segments that were settled as them. */
import type { Migration } from './migration.ts';

export const batches: Migration = {
  number: 6,
  name: 'batches',
  statements: [
    `alter table segment add column batch_id text`,
    `alter table segment add column batch_state text check (batch_state in ('pending', 'paid', 'refunded'))`,
    `create index segment_batch_pending on segment (segment_id) where batch_state = 'pending'`,
  ],
};
