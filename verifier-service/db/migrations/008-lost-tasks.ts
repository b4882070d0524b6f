/** When it is time to look whether an unsettled segment still has its task, and how often it had none. */
import type { Migration } from './migration.ts';

export const lostTasks: Migration = {
  number: 8,
  name: 'lost-tasks',
  statements: [
    `alter table segment add column look_at_ms int8 not null default 0`,
    `alter table segment add column lost_tasks int not null default 0`,
    `create index segment_look on segment (look_at_ms) where state in ('batched', 'proven') and sent_key is null`,
  ],
};
