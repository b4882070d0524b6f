/** Compiler, paths and test settings of the contracts. The compiler comes from npm, so building needs no network. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'hardhat/config';
import { depth } from './test/depth.ts';

// Absolute: a relative compiler path is resolved from Hardhat's own folder.
const solcPath = fileURLToPath(import.meta.resolve('solc/soljson.js'));

/** Cases of each fuzz test; sequences of each invariant and calls in each. */
const { cases, sequences, calls } =
  depth() === 'full' ? { cases: 10_000, sequences: 256, calls: 500 } : { cases: 256, sequences: 24, calls: 120 };
const given = process.env['STUN_SEED'];
const seed = given === undefined ? {} : { seed: `0x${BigInt(given).toString(16)}` };

/** What the committed bytecode of chain/generated is compiled with. */
export const committedCompiler = {
  version: '0.8.37',
  settings: {
    evmVersion: 'osaka',
    viaIR: true,
    optimizer: { enabled: true, runs: 10_000 },
    // Without the source hash a changed comment leaves the committed bytecode as it is.
    metadata: { bytecodeHash: 'none' },
  },
};

/** The Solidity tests deploy committed bytecode, so that how they are compiled themselves only has to be quick. */
const testCompiler = {
  version: committedCompiler.version,
  settings: { evmVersion: 'osaka', optimizer: { enabled: true, runs: 200 } },
};

export default defineConfig({
  test: {
    solidity: {
      fuzz: { runs: cases, ...seed },
      invariant: { runs: sequences, depth: calls },
      fsPermissions: { readDirectory: ['chain/generated'] },
    },
  },
  paths: {
    sources: 'contracts',
    tests: { solidity: 'test/contracts/solidity' },
    cache: '.stun/hardhat/cache',
    artifacts: '.stun/hardhat/artifacts',
  },
  solidity: { profiles: { default: { ...committedCompiler, path: solcPath }, tests: { ...testCompiler, path: solcPath } } },
});
