/** The client's store on disk: orders and lanes, sealed under a passphrase. docs/customer.md says what to back up. */
import { Lanes } from './lanes.ts';
import { OrderFiles } from './orders.ts';
import { Vault, type ScryptCost } from './vault.ts';

/** An opened store. Several processes may open one; each lane is used by one at a time. */
export interface ClientStore {
  readonly orders: OrderFiles;
  readonly lanes: Lanes;
}

/**
 * Opens the store of a folder, or makes one.
 * @param cost - scrypt's cost when it is made
 * @throws `STUN_STORE_PASSPHRASE`, `STUN_STORE_DAMAGED`
 */
export async function openStore(folder: string, passphrase: string, cost?: ScryptCost): Promise<ClientStore> {
  const vault = await Vault.open(folder, passphrase, cost);
  return { orders: new OrderFiles(vault), lanes: new Lanes(vault) };
}
