/** The orders of a client store: one sealed file for each, named by its key. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StunError, type Hex } from '#protocol/index.ts';
import { isMissing, makeFolder } from './atomic-file.ts';
import { orderRecordFromWire, orderRecordToWire, type OrderRecord } from './order-record.ts';
import type { Vault } from './vault.ts';

/** Reads and writes orders. */
export class OrderFiles {
  readonly #vault: Vault;
  readonly #folder: string;

  constructor(vault: Vault) {
    this.#vault = vault;
    this.#folder = join(vault.folder, 'orders');
  }

  #path(orderKey: string): string {
    if (!/^0x[0-9a-f]{64}$/.test(orderKey)) throw new StunError('STUN_INPUT', 'an order key is 0x and 64 lower-case hex digits');
    return join(this.#folder, `${orderKey}.sealed`);
  }

  /** Stores a new order. @throws `STUN_STORE_CONFLICT` when the store has one under this key */
  async create(record: OrderRecord): Promise<void> {
    await makeFolder(this.#folder);
    if (!(await this.#vault.createJson(this.#path(record.orderKey), orderRecordToWire(record)))) {
      throw new StunError('STUN_STORE_CONFLICT', `order ${record.orderKey} is stored already`);
    }
  }

  /** Stores a known order again: after its transaction was sent, after a top-up. */
  async update(record: OrderRecord): Promise<void> {
    await this.read(record.orderKey);
    await this.#vault.writeJson(this.#path(record.orderKey), orderRecordToWire(record));
  }

  /** An order. @throws `STUN_ORDER_NOT_STORED`, `STUN_STORE_DAMAGED` */
  async read(orderKey: string): Promise<OrderRecord> {
    const document = await this.#vault.readJson(this.#path(orderKey));
    if (document === undefined) throw new StunError('STUN_ORDER_NOT_STORED', `the store has no order ${orderKey}`);
    const record = orderRecordFromWire(document);
    if (record.orderKey !== orderKey) throw new StunError('STUN_STORE_DAMAGED', `the file of order ${orderKey} holds another`);
    return record;
  }

  /** The keys of all stored orders. */
  async keys(): Promise<Hex[]> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch (thrown) {
      if (isMissing(thrown)) return [];
      throw thrown;
    }
    return names.flatMap((name) => (/^0x[0-9a-f]{64}\.sealed$/.test(name) ? [name.slice(0, 66) as Hex] : [])).sort();
  }

  /**
   * The one order a command means when it names none.
   * @throws `STUN_INPUT` when there are several, `STUN_ORDER_NOT_STORED` when there is none
   */
  async only(): Promise<OrderRecord> {
    const keys = await this.keys();
    const [first] = keys;
    if (first === undefined) throw new StunError('STUN_ORDER_NOT_STORED', 'the store has no order');
    if (keys.length > 1) throw new StunError('STUN_INPUT', `the store has ${keys.length} orders: name one by its key`);
    return this.read(first);
  }
}
