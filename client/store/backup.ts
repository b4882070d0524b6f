/**
 * Backups: keys, orders and openings under a passphrase of their own. Never lanes: a head that is restored could be signed on twice,
 * so a restored client starts its lanes at a random index instead.
 */
import { z } from 'zod';
import { readDocument, StunError, utf8 } from '#protocol/index.ts';
import { freshLaneIndexBase } from './lanes.ts';
import { orderRecordFromWire, orderRecordToWire } from './order-record.ts';
import type { OrderFiles } from './orders.ts';
import { defaultScryptCost, openUnderPassphrase, sealUnderPassphrase, type ScryptCost } from './vault.ts';

const NAME = 'stun-backup';
const schema = z.strictObject({ version: z.literal(1), orders: z.array(z.unknown()) });

/** All orders, sealed. @param passphrase - of the backup; it may differ from the store's */
export async function exportBackup(
  orders: OrderFiles,
  passphrase: string,
  cost: ScryptCost = defaultScryptCost,
): Promise<{ text: string; orders: number }> {
  const records = [];
  for (const key of await orders.keys()) records.push(orderRecordToWire(await orders.read(key)));
  const text = await sealUnderPassphrase(passphrase, NAME, utf8(JSON.stringify({ version: 1, orders: records })), cost);
  return { text, orders: records.length };
}

/**
 * Puts the orders of a backup into a store. Orders the store already has are left as they are.
 * @returns the keys that were restored and those that were there
 * @throws `STUN_STORE_PASSPHRASE`, `STUN_STORE_DAMAGED`
 */
export async function restoreBackup(
  orders: OrderFiles,
  passphrase: string,
  text: string,
): Promise<{ restored: string[]; present: string[] }> {
  const plain = await openUnderPassphrase(passphrase, NAME, text);
  const { orders: documents } = readDocument(schema, JSON.parse(new TextDecoder().decode(plain)), 'backup');
  const restored: string[] = [];
  const present: string[] = [];
  for (const document of documents) {
    const record = orderRecordFromWire(document);
    try {
      await orders.create({ ...record, laneIndexBase: freshLaneIndexBase() });
      restored.push(record.orderKey);
    } catch (thrown) {
      if (!(thrown instanceof StunError) || thrown.code !== 'STUN_STORE_CONFLICT') throw thrown;
      present.push(record.orderKey);
    }
  }
  return { restored, present };
}
