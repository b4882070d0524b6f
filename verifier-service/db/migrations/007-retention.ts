/** The age of openings, leases, events and ended transactions, by which the sweep deletes them. */
import type { Migration } from './migration.ts';

export const retention: Migration = {
  number: 7,
  name: 'retention',
  statements: [
    `alter table opening add column expires_at_unix int8 not null default 0`,
    `update opening set expires_at_unix = orders.deadline_unix from orders where orders.order_key = opening.order_key`,
    `create index opening_expiry on opening (expires_at_unix)`,
    `alter table sender_intent add column ended_at_ms int8`,
    `update sender_intent set ended_at_ms = (extract(epoch from now()) * 1000)::int8 where final`,
    `create index sender_intent_ended on sender_intent (ended_at_ms) where final`,
    `create index lease_ended on lease (created_at_ms) where state <> 'active'`,
    `create index event_age on event (created_at_ms)`,
  ],
};
