/**
 * `node scripts/mutation/planted-process.ts FOLDER PATTERN`: runs the fuzzed tests of a planted project whose names match, with the defect that the
 * environment names, and prints as its last line the failures as JSON: `[[name, reason], …]`.
 */
import { join } from 'node:path';
import { createHardhatRuntimeEnvironment } from 'hardhat/hre';

const [, , folder, pattern] = process.argv;
if (folder === undefined || pattern === undefined) throw new RangeError('a folder and a pattern are wanted');
// The seed is fixed: what a defect breaks must not hang on luck. More sequences than in `npm test`, for each stops at its first failure.
process.env['STUN_SEED'] ??= '1';
const { default: config } = await import('../../hardhat.config.ts');
const paths = {
  ...config.paths,
  tests: { solidity: join(folder, 'test') },
  cache: join(folder, 'cache'),
  artifacts: join(folder, 'artifacts'),
};
const invariant = { ...config.test?.solidity, invariant: { runs: 160, depth: 120 } };
const hre = await createHardhatRuntimeEnvironment(
  { ...config, paths: { ...paths, sources: join(folder, 'contracts') }, test: { solidity: invariant } },
  {},
  folder,
);

interface Outcome {
  readonly value?: Suites;
  readonly error?: Suites;
}
interface Suites {
  readonly suiteResults: readonly {
    readonly testResults: readonly { readonly name: string; readonly status: string; readonly reason?: string }[];
  }[];
}
const outcome = (await hre.tasks.getTask(['test', 'solidity']).run({ grep: pattern })) as Outcome;
const results = ((outcome.value ?? outcome.error)?.suiteResults ?? []).flatMap(({ testResults }) => testResults);
if (results.length === 0) throw new Error(`no test matches ${pattern}`);
const failures = results.filter(({ status }) => status === 'Failure').map(({ name, reason }) => [name, reason ?? '']);
console.log(JSON.stringify(failures));
