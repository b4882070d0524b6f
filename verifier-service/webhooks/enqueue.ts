/** Turns new events into webhook deliveries, in the transaction that made the events. */
import { randomUUID } from 'node:crypto';
import type { Unit } from '../services.ts';

/** An event as it was stored. */
export interface StoredEvent {
  readonly order_key: string;
  readonly seq: number;
  readonly type: string;
  readonly account: string | null;
  readonly provider: string;
  readonly data: string;
}

/** Queues a delivery for each webhook of an account that may see the event: its own jobs, the funder all, the provider its work. */
export async function queueWebhooks(unit: Unit, funder: string, events: readonly StoredEvent[]): Promise<void> {
  const accounts = new Set([funder, ...events.flatMap((event) => [event.account ?? funder, event.provider])]);
  const hooks = await unit.sql
    .selectFrom('webhook')
    .selectAll()
    .where('account', 'in', [...accounts])
    .execute();
  for (const hook of hooks) {
    const wanted = hook.events.split(',');
    for (const event of events) {
      const visible = hook.account === funder || hook.account === event.account || hook.account === event.provider;
      if (!visible || !wanted.includes(event.type)) continue;
      const id = randomUUID();
      const data: unknown = JSON.parse(event.data);
      const body = JSON.stringify({ id, type: event.type, orderKey: event.order_key, seq: event.seq, data });
      await unit.sql
        .insertInto('webhook_delivery')
        .values({
          id,
          webhook_id: hook.id,
          body,
          state: 'waiting',
          attempts: 0,
          last_status: null,
          created_at_ms: unit.nowMs,
          ended_at_ms: null,
        })
        .execute();
      await unit.queue.webhook(unit.sql, id);
    }
  }
}
