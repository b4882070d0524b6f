/** The Solidity tests of a hardhat project, which deploy the bytecode in its chain/generated. */
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre';

/** One test that was run. */
export interface SolidityTestResult {
  /** The test contract's name. */
  readonly suite: string;
  readonly name: string;
  readonly status: 'Success' | 'Failure' | 'Skipped';
  /** What a failed test said. */
  readonly reason: string | undefined;
}

interface Suites {
  readonly suiteResults: readonly {
    readonly id: { readonly name: string };
    readonly testResults: readonly SolidityTestResult[];
  }[];
}

/** What hardhat's task returns: the suites as `value` when all passed, as `error` when not. */
interface Outcome {
  readonly success: boolean;
  readonly value?: Suites;
  readonly error?: Suites;
}

/** Compiles the tests, without the contracts and with settings that make this quick. */
export async function compileSolidityTests(hre: HardhatRuntimeEnvironment): Promise<void> {
  await hre.tasks.getTask('build').run({ noContracts: true, quiet: true, defaultBuildProfile: 'tests' });
}

/**
 * Runs the compiled tests whose names match, all without a pattern.
 * @returns each test's result, and whether hardhat says that all is well
 * @throws `Error` when hardhat reports no suites
 */
export async function runSolidityTests(
  hre: HardhatRuntimeEnvironment,
  grep: string | undefined,
): Promise<{ readonly passed: boolean; readonly results: readonly SolidityTestResult[] }> {
  const options = { noCompile: true, ...(grep === undefined ? {} : { grep }) };
  const outcome = (await hre.tasks.getTask(['test', 'solidity']).run(options)) as Outcome;
  const suites = (outcome.value ?? outcome.error)?.suiteResults;
  if (suites === undefined) throw new Error(`hardhat reported no suites but ${Object.keys(outcome).join(', ')}`);
  // Field by field: what the runner hands out has getters, which a spread would lose.
  const results = suites.flatMap(({ id, testResults }) =>
    testResults.map(({ name, status, reason }) => ({ suite: id.name, name, status, reason })),
  );
  return { passed: outcome.success, results };
}
