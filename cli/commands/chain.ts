/** `stun chain dev|deploy`: a local chain, and the contracts on a chain. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Wallet } from 'ethers';
import { StunError } from '#protocol/index.ts';
import { lowerAddress } from '#chain/contract-access.ts';
import { deployStun, type CeremonyVerifiers, type VerifierSource } from '#chain/deploy.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { deploymentPathOf, openProvider, rpcUrlOf, secretOf } from '../settings.ts';
import { parseAddress, parseWhole } from '../values.ts';
import type { CeremonyOptions } from './proving-keys.ts';
import { save } from './result.ts';

/** Runs a development chain until it is told to stop. */
export async function chainDev({
  options,
  context,
}: Invocation<{ port: string; blockInterval: string }>): Promise<CommandResult> {
  const { startDevChain } = await import('#chain/dev-chain.ts');
  const chain = await startDevChain({
    port: parseWhole(options.port, '--port', 0, 65535),
    blockIntervalMs: parseWhole(options.blockInterval, '--block-interval', 0, 60_000),
  });
  const accounts = chain.accounts.slice(0, 10).map(({ address, privateKey }) => `  ${address}  key ${privateKey}`);
  context.progress([`development chain ${chain.chainId} on ${chain.url}; these keys are public:`, ...accounts].join('\n'));
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const document = { url: chain.url, chainId: chain.chainId, accounts: chain.accounts.map(({ address }) => address) };
  await chain.close();
  return { document, text: 'The development chain has ended; nothing of it is kept.', exitCode: 0 };
}

/** Options of `chain deploy`. */
export interface ChainDeployOptions extends CeremonyOptions {
  readonly attestor: readonly string[];
  readonly threshold: string;
  readonly feeBps: string;
  readonly feeAccount?: string;
  readonly guardian?: string;
}

/** The verifiers of the named ceremonies, each held against the allow-list before anything is sent; undefined when none is named. */
async function ceremoniesOf(options: ChainDeployOptions): Promise<CeremonyVerifiers | undefined> {
  if (options.ceremony === undefined) return undefined;
  const { loadCeremonies } = await import('./proving-keys.ts');
  const { allowed, ceremonies } = await loadCeremonies(options.ceremony, options.allowedKeys);
  const { compileVerifier } = await import('#circuits/ceremony/compile-verifier.ts');
  const { ceremonyVerifier } = await import('#circuits/ceremony/export-ceremony.ts');
  const sources: VerifierSource[] = [];
  for (const one of ceremonies) {
    const source = ceremonyVerifier(one.verificationKey, { circuit: one.name, n: one.n, verifier: one.verifier }, one.r1csSha256);
    sources.push({ artifact: await compileVerifier(one.verifier, source), transcript: one.transcript });
  }
  return { sources, allowed };
}

/** Deploys all contracts and writes the record that every process reads. */
export async function chainDeploy({ options, context }: Invocation<ChainDeployOptions>): Promise<CommandResult> {
  const terms = {
    attestors: options.attestor.map((attestor) => parseAddress(attestor, '--attestor')),
    threshold: parseWhole(options.threshold, '--threshold', 1, 32),
    feeBps: parseWhole(options.feeBps, '--fee-bps', 0, 500),
  };
  const named = {
    ...(options.feeAccount === undefined ? {} : { feeAccount: parseAddress(options.feeAccount, '--fee-account') }),
    ...(options.guardian === undefined ? {} : { guardian: parseAddress(options.guardian, '--guardian') }),
  };
  const privateKey = await secretOf('STUN_PRIVATE_KEY');
  if (privateKey === undefined || !/^0x[0-9a-fA-F]{64}$/.test(privateKey)) {
    throw new StunError('STUN_CONFIG', 'deploying needs the key of the owner: set STUN_PRIVATE_KEY');
  }
  const ceremonies = await ceremoniesOf(options);
  const provider = await openProvider(rpcUrlOf(options));
  try {
    const signer = new Wallet(privateKey, provider);
    const owner = lowerAddress(signer.address);
    context.progress('deploying the contracts');
    const deployment = await deployStun(signer, {
      ...terms,
      feeAccount: owner,
      guardian: owner,
      ...named,
      ...(ceremonies && { ceremonies }),
    });
    const path = deploymentPathOf(options);
    await mkdir(dirname(path), { recursive: true });
    await save(path, `${JSON.stringify(deployment, null, 2)}\n`);
    const development = deployment.families.some((family) => family.development);
    const text = [
      `deployed on chain ${deployment.chainId}; the record is ${path}`,
      `escrow    ${deployment.escrow}`,
      `registry  ${deployment.registry}`,
      ...(development ? ['DEVELOPMENT KEYS: anybody can forge proofs for these families.'] : []),
    ].join('\n');
    return { document: { file: path, deployment }, text, exitCode: 0 };
  } finally {
    provider.destroy();
  }
}
