/** Runs the Solidity tests (`*.t.sol`) through hardhat, in this process, and reports their counts. */
import { assertFresh } from '#chain/compiled-from.ts';
import { depth, sampleSeed } from '#test/depth.ts';
import { root } from '../project-files.ts';
import { countsReporter } from './counts.ts';
import { compileSolidityTests, runSolidityTests } from './solidity-suites.ts';

// The configuration reads the seed when hardhat is loaded; printed, so that what was found can be found again.
process.env['STUN_SEED'] = String(sampleSeed());
const { committedCompiler } = await import('../../hardhat.config.ts');
// The tests deploy committed bytecode. Only digests are compared here; `npm run check -- generated` compiles and holds the bytes.
assertFresh(root, committedCompiler);
const { default: hre } = await import('hardhat');
console.log(`      fuzzed at depth ${depth()}`);
const reportCounts = countsReporter();
await compileSolidityTests(hre);
const { passed: success, results } = await runSolidityTests(hre, process.argv[2]);
const titles = (wanted: string): string[] =>
  results.filter(({ status }) => status === wanted).map(({ suite, name }) => `${suite} ${name}`);
const failures = titles('Failure');
reportCounts({ passed: titles('Success').length, failed: failures.length, skipped: titles('Skipped').length, failures });
process.exitCode = success && failures.length === 0 ? 0 : 1;
