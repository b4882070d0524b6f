/** A process that opens a lane, says so, and keeps it until it is killed. Arguments: store folder, passphrase, order key, provider. */
import { openStore } from '#client/index.ts';

const [folder = '', passphrase = '', orderKey = '', provider = ''] = process.argv.slice(2);
const store = await openStore(folder, passphrase);
await store.lanes.open(await store.orders.read(orderKey), provider, 0);
process.stdout.write('held\n');
setInterval(() => undefined, 1000);
