/**
 * `node chain/generate.ts [--check]`: writes what is generated from the contracts and from circomlibjs' constants, and is
 * committed so that nothing at run time needs a compiler: `contracts/generated/*.sol` and `chain/generated/*.json` (ABI and
 * bytecode, and the digests of what they were compiled from). With `--check` nothing is written and a stale file fails.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHardhatRuntimeEnvironment } from 'hardhat/hre';
import hardhatConfig, { committedCompiler } from '../hardhat.config.ts';
import { digestsFile, digestsOf } from './compiled-from.ts';
import { generatedSources } from './generate-poseidon.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes('--check');
const stale: string[] = [];
let files = 0;

/** Contracts that code or tests deploy, beside every verifier in contracts/verifiers and every double in contracts/mocks. */
const sources = [
  'contracts/OrderEscrow.sol',
  'contracts/EnclaveRegistry.sol',
  'contracts/VerifierRouter.sol',
  'contracts/ChallengeCourt.sol',
  'contracts/ModelRegistry.sol',
  'contracts/InferenceVerifier.sol',
  'contracts/StunToken.sol',
  'contracts/generated/Poseidon2.sol',
  'contracts/generated/Poseidon5.sol',
  'contracts/generated/Poseidon6.sol',
  'contracts/baseline/SignatureOnlyEscrow.sol',
];

function put(relative: string, text: string): void {
  files += 1;
  const file = path.join(root, relative);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  if (check) {
    stale.push(relative);
    return;
  }
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${relative}`);
}

function solidityFilesIn(folder: string): string[] {
  const absolute = path.join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute)
    .filter((name) => name.endsWith('.sol'))
    .toSorted()
    .map((name) => `${folder}/${name}`);
}

for (const [relative, text] of await generatedSources()) put(relative, text);

// Hardhat's own output goes to stderr, so that stdout stays the summary.
const log = console.log;
console.log = console.error;
const hre = await createHardhatRuntimeEnvironment(hardhatConfig, {}, root);
await hre.tasks.getTask('build').run({ quiet: true, noTests: true });
console.log = log;

for (const source of [...sources, ...solidityFilesIn('contracts/verifiers'), ...solidityFilesIn('contracts/mocks')]) {
  const name = path.basename(source, '.sol');
  const artifact = await hre.artifacts.readArtifact(`${source}:${name}`);
  const { abi, bytecode } = artifact;
  put(`chain/generated/${name}.json`, `${JSON.stringify({ contractName: name, source, abi, bytecode }, null, 1)}\n`);
}
// Last: it holds the digests of the others too.
put(digestsFile, `${JSON.stringify(digestsOf(root, committedCompiler), null, 1)}\n`);

if (stale.length > 0) {
  for (const relative of stale) console.error(`${relative} is stale: run node chain/generate.ts`);
  process.exitCode = 1;
} else {
  console.log(`${files} generated files are fresh`);
}
