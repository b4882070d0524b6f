/** Runs the Solidity tests (`*.t.sol`) through hardhat, in this process, and reports their counts. */
import { depth, sampleSeed } from '#test/depth.ts';
import { countsReporter } from './counts.ts';

interface SuiteResult {
  readonly id: { readonly name: string };
  readonly testResults: readonly { readonly name: string; readonly status: 'Success' | 'Failure' | 'Skipped' }[];
}

/** What hardhat's task returns: the suites as `value` when all passed, as `error` when not. */
interface Outcome {
  readonly success: boolean;
  readonly value?: { readonly suiteResults: readonly SuiteResult[] };
  readonly error?: { readonly suiteResults: readonly SuiteResult[] };
}

// The configuration reads the seed when hardhat is loaded; printed, so that what was found can be found again.
process.env['STUN_SEED'] = String(sampleSeed());
const { default: hre } = await import('hardhat');
console.log(`      fuzzed at depth ${depth()}`);
const reportCounts = countsReporter();
const grep = process.argv[2];
// What the tests deploy is compiled with them, with the same settings; a build of all contracts beside it would double the time and serve nothing.
await hre.tasks.getTask('build').run({ noContracts: true, quiet: true });
const outcome = (await hre.tasks.getTask(['test', 'solidity']).run({
  noCompile: true,
  ...(grep === undefined ? {} : { grep }),
})) as Outcome;
const suites = (outcome.value ?? outcome.error)?.suiteResults;
if (suites === undefined) throw new Error(`hardhat reported no suites but ${Object.keys(outcome).join(', ')}`);
const results = suites.flatMap(({ id, testResults }) =>
  testResults.map(({ name, status }) => ({ title: `${id.name} ${name}`, status })),
);
const titles = (wanted: string): string[] => results.filter(({ status }) => status === wanted).map(({ title }) => title);
const failures = titles('Failure');
reportCounts({ passed: titles('Success').length, failed: failures.length, skipped: titles('Skipped').length, failures });
process.exitCode = outcome.success && failures.length === 0 ? 0 : 1;
