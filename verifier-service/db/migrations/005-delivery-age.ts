/** The age of webhook deliveries, by which the sweep deletes them. */
import type { Migration } from './migration.ts';

export const deliveryAge: Migration = {
  number: 5,
  name: 'delivery-age',
  statements: [`create index webhook_delivery_age on webhook_delivery (created_at_ms)`],
};
