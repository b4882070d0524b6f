/**
 * `npm test [-- PATH… | PATTERN]`: the tests at sampled depth, each kind in a process of its own. The last line is
 * `N passed, N failed`, summed over all runners.
 */
import { environment } from './run-process.ts';
import { conclude, runAll } from './tests/run-all.ts';
import { suitesFor } from './tests/suites.ts';

const suites = suitesFor(process.argv.slice(2));
if (suites.length === 0) console.log('no test file is selected');
const results = await runAll(suites, { env: environment(), limitMs: 15 * 60_000 });
process.exitCode = conclude(results);
