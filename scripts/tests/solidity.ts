/** Runs the Solidity tests (`*.t.sol`) through hardhat, in this process, and reports their counts. */
import hre from 'hardhat';
import { reportCounts } from './counts.ts';

interface Outcome {
  readonly value?: { readonly summary?: Summary };
  readonly error?: { readonly summary?: Summary };
}

interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const grep = process.argv[2];
const outcome = (await hre.tasks.getTask(['test', 'solidity']).run(grep === undefined ? {} : { grep })) as Outcome;
const summary = outcome.value?.summary ?? outcome.error?.summary;
if (summary === undefined) throw new Error(`hardhat reported no summary but ${Object.keys(outcome).join(', ')}`);
const { passed, failed, skipped } = summary;
reportCounts({ passed, failed, skipped, failures: failed > 0 ? [`${failed} Solidity tests`] : [] });
process.exitCode = failed > 0 ? 1 : 0;
