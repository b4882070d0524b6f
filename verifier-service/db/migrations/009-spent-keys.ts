/** An idempotency key is spent or not: no answer is kept under it, and none is half made. */
import type { Migration } from './migration.ts';

export const spentKeys: Migration = {
  number: 9,
  name: 'spent-keys',
  statements: [
    `delete from idempotency where state = 'running'`,
    `alter table idempotency drop column state, drop column status, drop column body`,
  ],
};
