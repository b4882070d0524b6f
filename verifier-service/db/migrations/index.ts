/** All migrations in order. */
import { accounts } from './001-accounts.ts';
import { orders } from './002-orders.ts';
import { settlement } from './003-settlement.ts';
import { scale } from './004-scale.ts';
import { deliveryAge } from './005-delivery-age.ts';
import { batches } from './006-batches.ts';
import { retention } from './007-retention.ts';
import { lostTasks } from './008-lost-tasks.ts';
import { spentKeys } from './009-spent-keys.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  accounts,
  orders,
  settlement,
  scale,
  deliveryAge,
  batches,
  retention,
  lostTasks,
  spentKeys,
];
