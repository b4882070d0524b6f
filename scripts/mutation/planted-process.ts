/**
 * `node scripts/mutation/planted-process.ts FOLDER PATTERN`: runs the fuzzed tests of a planted project whose names match, with the defect that the
 * environment names, and prints as its last line the failures as JSON: `[[name, reason], …]`. With defect 0, which is none, it first compiles the
 * contracts into the project's own chain/generated, and the tests; the others use what it left, for compilations at the same time disturb each other.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createHardhatRuntimeEnvironment } from 'hardhat/hre';
import { compileSolidityTests, runSolidityTests } from '../tests/solidity-suites.ts';
import { deployedByTests, plantedVariable } from './planted.ts';

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

if (process.env[plantedVariable] === '0') {
  await hre.tasks.getTask('build').run({ noTests: true, quiet: true });
  for (const [file, source] of deployedByTests()) {
    const { contractName, bytecode } = await hre.artifacts.readArtifact(`${source}:${basename(file, '.json')}`);
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), JSON.stringify({ contractName, bytecode }));
  }
  await compileSolidityTests(hre);
}
const { results } = await runSolidityTests(hre, pattern);
if (results.length === 0) throw new Error(`no test matches ${pattern}`);
const failures = results.filter(({ status }) => status === 'Failure').map(({ name, reason }) => [name, reason ?? '']);
console.log(JSON.stringify(failures));
