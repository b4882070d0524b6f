/** What stands in for `nvattest`: `… SOCKET collect-evidence --device gpu --nonce HEX --format json` prints what the test answers to the nonce. */
import { connect } from 'node:net';

const [socket = '', ...asked] = process.argv.slice(2);
connect(socket)
  .end(asked[asked.indexOf('--nonce') + 1] ?? '')
  .pipe(process.stdout);
