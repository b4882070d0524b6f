/** Compiles a generated verifier with the settings of hardhat.config.ts. Needs the development dependency solc. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';
import { REPOSITORY_ROOT } from '../build/source.ts';

const INTERFACES = ['ISettlementVerifier', 'IProvenSettlementVerifier'].map((name) => `contracts/interfaces/${name}.sol`);

/** What is needed to deploy a contract and to talk to it. */
export interface CompiledContract {
  readonly contractName: string;
  readonly abi: readonly object[];
  /** Creation code, hex with 0x. */
  readonly bytecode: string;
}

interface SolcOutput {
  readonly errors?: readonly { readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Record<string, { abi: object[]; evm: { bytecode: { object: string } } }>>>;
}

/**
 * Compiles one verifier.
 * @param contract - its name
 * @throws `STUN_CIRCUIT_COMPILE` with the compiler's message, a warning included
 */
export async function compileVerifier(contract: string, source: string): Promise<CompiledContract> {
  const path = `contracts/verifiers/${contract}.sol`;
  const interfaces = await Promise.all(
    INTERFACES.map(async (file) => [file, { content: await readFile(join(REPOSITORY_ROOT, file), 'utf8') }] as const),
  );
  const input = {
    language: 'Solidity',
    sources: { [path]: { content: source }, ...Object.fromEntries(interfaces) },
    settings: {
      evmVersion: 'osaka',
      viaIR: true,
      optimizer: { enabled: true, runs: 10_000 },
      metadata: { bytecodeHash: 'none' },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  };
  const { default: solc } = await import('solc');
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  const problem = output.errors?.[0];
  const compiled = output.contracts[path]?.[contract];
  if (problem !== undefined || compiled === undefined) {
    throw new StunError(
      'STUN_CIRCUIT_COMPILE',
      `compiling ${contract} failed: ${problem?.formattedMessage ?? 'no such contract'}`,
    );
  }
  return { contractName: contract, abi: compiled.abi, bytecode: `0x${compiled.evm.bytecode.object}` };
}
