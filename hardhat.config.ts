/** Compiler, paths and test settings of the contracts. The compiler comes from npm, so building needs no network. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'hardhat/config';

// Absolute: a relative compiler path is resolved from Hardhat's own folder.
const solcPath = fileURLToPath(import.meta.resolve('solc/soljson.js'));

export default defineConfig({
  paths: {
    sources: 'contracts',
    tests: { solidity: 'test/contracts/solidity' },
    cache: '.stun/hardhat/cache',
    artifacts: '.stun/hardhat/artifacts',
  },
  solidity: {
    profiles: {
      default: {
        version: '0.8.37',
        path: solcPath,
        settings: {
          evmVersion: 'osaka',
          viaIR: true,
          optimizer: { enabled: true, runs: 10_000 },
          // Without the source hash a changed comment leaves the committed bytecode as it is.
          metadata: { bytecodeHash: 'none' },
        },
      },
    },
  },
});
