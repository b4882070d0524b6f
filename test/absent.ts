/** Tests for which something is missing on the machine: that is said, and a run that is to leave nothing out counts them as skipped. */
import { depth } from './depth.ts';

/**
 * A `describe` for such tests. They count where everything was asked for (`STUN_DEPTH=full`, `STUN_E2E=all`); a sample counts what it chose.
 * @param what - is not tested
 * @param remedy - what would change that
 */
export function describeAbsent(what: string, remedy: string): (title: string, tests: (this: Mocha.Suite) => void) => void {
  console.log(`    NOT TESTED: ${what} (${remedy})`);
  const everything = depth() === 'full' || process.env['STUN_E2E'] === 'all';
  return (title, tests) => (everything ? void describe.skip(title, tests) : undefined);
}
