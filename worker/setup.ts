/** From configuration to an enclave that is registered and listed: detect, load models, make keys, attest, register, announce. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import { env as onnxruntime } from 'onnxruntime-node';
import { connectStun, parseDeployment, type Deployment, type StunContracts } from '#chain/deployment.ts';
import { openRpcProvider } from '#chain/rpc-provider.ts';
import { canonicalJson, fieldToHex, policyIdOf, StunError, toHex, type Hex } from '#protocol/index.ts';
import { createChainView, type ChainView } from './chain-view.ts';
import type { GpuCollateralSource, WorkerConfig } from './config.ts';
import type { Offer } from './enclave.ts';
import { Attester, type MachineEvidence } from './issuer/attester.ts';
import { collateralFile } from './issuer/collateral-file.ts';
import { canonicalPolicyBytes, type EvidenceIssuer, type GpuCollateralFor } from './issuer/issuer.ts';
import { createSnpIssuer } from './issuer/snp.ts';
import { createTdxIssuer } from './issuer/tdx.ts';
import { createEnclaveKeys, runtimeDigestOf, type EnclaveKeys } from './keys.ts';
import type { WorkerLog } from './log.ts';
import { assertExactKernels, assertExactStages, readCompiledModel } from './model/compiled.ts';
import { readModelFile, type ModelFile, type ModelManifest } from './model/manifest.ts';
import { ModelRunner } from './model/runner.ts';
import { choosePlatform, detectPlatform, TSM_REPORT_PATH, type WorkerPlatform } from './platform.ts';
import { collectApprovals, registerEnclave, type RegisteredEnclave } from './register.ts';
import type { ServiceClient } from './service-client.ts';

/** Seconds on the host's clock. */
export function hostNowUnix(): number {
  return Math.floor(Date.now() / 1000);
}

/** @throws `STUN_FILE` */
async function readJsonFile(path: string, what: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new StunError('STUN_FILE', `${what} ${path} must be a readable JSON file`, { cause });
  }
}

/** The chain side: contracts of the deployment, signed for by the provider. */
export interface ChainSide {
  readonly deployment: Deployment;
  readonly contracts: StunContracts;
  readonly view: ChainView;
  readonly provider: Hex;
  readonly close: () => void;
}

/** Connects to the provider's node and checks the deployment there. @throws `STUN_CHAIN_*`, `STUN_FILE` */
export async function openChain(config: WorkerConfig): Promise<ChainSide> {
  const deployment = parseDeployment(await readJsonFile(config.deploymentPath, 'deployment'));
  const rpc = openRpcProvider(config.rpcUrl, deployment.chainId, { pollingIntervalMs: 250 });
  try {
    const wallet = new Wallet(toHex(config.providerKey.reveal()), rpc);
    const contracts = await connectStun(deployment, wallet);
    return {
      deployment,
      contracts,
      view: createChainView(contracts, rpc, config.chainViewMaxAgeMs),
      provider: wallet.address.toLowerCase() as Hex,
      close: () => rpc.destroy(),
    };
  } catch (error) {
    rpc.destroy();
    throw error;
  }
}

/** Loads every model. @throws `STUN_MODEL_*`, `STUN_FILE`, `STUN_CONFIG` for two entries of one model */
export async function loadOffers(config: WorkerConfig): Promise<ReadonlyMap<bigint, Offer & { readonly runner: ModelRunner }>> {
  const offers = new Map<bigint, Offer & { readonly runner: ModelRunner }>();
  const { limits, session } = config;
  const jobLimits = {
    timeoutMs: limits.jobTimeoutMs,
    memoryBytes: limits.jobMemoryMb * 2 ** 20,
    outputBytes: limits.outputMb * 2 ** 20,
  };
  try {
    for (const entry of config.models) {
      const file =
        'compiledPath' in entry
          ? await readCompiledModel(entry.compiledPath)
          : await readModelFile(entry.modelPath, entry.manifestPath);
      if (offers.has(file.modelId)) throw new StunError('STUN_CONFIG', `models: ${file.manifest.name} is listed twice`);
      const runner = await ModelRunner.start(file, session, jobLimits);
      offers.set(file.modelId, { runner, price: BigInt(entry.price) });
      if (file.compiled === undefined) continue;
      await assertExactKernels(runner, file.compiled);
      await assertExactStages(file.compiled, session, jobLimits);
    }
    return offers;
  } catch (error) {
    for (const { runner } of offers.values()) runner.close();
    throw error;
  }
}

/** The issuer of the platform. The simulator is loaded only when it is named. @throws `STUN_CONFIG`, `STUN_FILE` */
async function createIssuer(config: WorkerConfig, platform: WorkerPlatform, provider: Hex): Promise<EvidenceIssuer> {
  const tsm = { directory: join('/', TSM_REPORT_PATH) };
  const given = config.collateralPath === undefined ? undefined : collateralFile(config.collateralPath);
  if (platform === 'sev-snp') return createSnpIssuer(tsm, given);
  if (platform === 'tdx') {
    if (given === undefined) throw new StunError('STUN_CONFIG', 'collateralPath is needed on a TDX machine');
    return createTdxIssuer(tsm, given);
  }
  const { createSimulatedIssuer } = await import('./issuer/simulated.ts');
  const pkiPath = config.simulatedPkiPath ?? '';
  let pkiText: string;
  try {
    pkiText = await readFile(pkiPath, 'utf8');
  } catch (cause) {
    throw new StunError('STUN_FILE', `the simulated PKI ${pkiPath} must be a readable file`, { cause });
  }
  return createSimulatedIssuer(pkiText, provider, hostNowUnix);
}

/** Opens the way to what NVIDIA publishes about GPUs. */
export type OpenGpuCollateral = (source: GpuCollateralSource) => GpuCollateralFor;

/** The attester of the machine, with the GPUs that the settings name. @throws `STUN_CONFIG`, `STUN_FILE` */
export async function createAttester(
  config: WorkerConfig,
  platform: WorkerPlatform,
  provider: Hex,
  openGpuCollateral: OpenGpuCollateral | undefined,
): Promise<Attester> {
  const issuer = await createIssuer(config, platform, provider);
  const { gpu } = config;
  if (gpu === null) return new Attester(issuer);
  if (openGpuCollateral === undefined)
    throw new StunError('STUN_CONFIG', 'gpu: this program has no way to the collateral of GPUs');
  const { nvattest: command, count, timeoutMs, collateral } = gpu;
  return new Attester(issuer, { command, count, timeoutMs, collateralFor: openGpuCollateral(collateral) });
}

/** Detects the machine, says so, and chooses. */
export function settlePlatform(config: WorkerConfig, chainId: number, log: WorkerLog): WorkerPlatform {
  const found = detectPlatform();
  log.info({ event: 'platform.detected', ...found, configured: config.platform });
  const platform = choosePlatform(config.platform, found, chainId);
  if (platform === 'simulated') log.warn({ event: 'platform.simulated', note: 'simulated hardware protects nothing' });
  return platform;
}

/** Makes the keys for what is loaded. */
export function makeKeys(
  chain: ChainSide,
  platform: WorkerPlatform,
  offers: ReadonlyMap<bigint, { readonly runner: ModelRunner }>,
  expiresAtUnix: number,
  packageVersion: string,
): Promise<EnclaveKeys> {
  const models = [...offers]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([modelId, { runner }]) => ({ modelId: fieldToHex(modelId), executionProvider: runner.executionProvider }));
  return createEnclaveKeys({
    chainId: BigInt(chain.deployment.chainId),
    registry: chain.deployment.registry,
    provider: chain.provider,
    runtimeDigest: runtimeDigestOf({
      version: 1,
      stun: packageVersion,
      node: process.version,
      onnxruntime: onnxruntime.versions.node ?? 'unknown',
      platform,
      models,
    }),
    expiresAtUnix,
  });
}

/** What registration left behind, for the listing. */
export interface AttestedEnclave extends RegisteredEnclave {
  readonly evidence: MachineEvidence;
  readonly policy: unknown;
}

/** Attests with a recent block hash as nonce, collects approvals and registers. @throws as Attester.attest, `STUN_APPROVAL_*`, `STUN_REGISTER_*` */
export async function attestAndRegister(
  config: WorkerConfig,
  chain: ChainSide,
  keys: EnclaveKeys,
  attester: Attester,
): Promise<AttestedEnclave> {
  const policy = await readJsonFile(config.policyPath, 'policy');
  const policyId = policyIdOf(canonicalPolicyBytes(policy));
  const evidence = await attester.attestNewestBlock(keys.keysetDigest, chain.view);
  const request = {
    keys,
    evidence: evidence.document,
    policy,
    policyId,
    platformCode: attester.issuer.platformCode,
    leafExpiresAtUnix: keys.keyset.expiresAtUnix,
  };
  const { registry } = chain.contracts;
  const approvals = await collectApprovals(config.attestorUrls, request, registry, config.requestTimeoutMs);
  const registered = await registerEnclave(registry, request, approvals);
  return { ...registered, evidence, policy };
}

/**
 * What a listing says of a model. Of a compiled one, scales and accuracy are left out: they are no integers, which the service's JSON has alone,
 * and a customer needs the manifest's exact bytes, which come with the model.
 */
function listedManifest({ manifest }: ModelFile): Partial<ModelManifest> {
  return Object.fromEntries(Object.entries(manifest).filter(([key]) => key !== 'compiled'));
}

/** Lists the enclave with its models. */
export async function announce(
  service: ServiceClient,
  keys: EnclaveKeys,
  attested: AttestedEnclave,
  offers: ReadonlyMap<bigint, Offer>,
): Promise<void> {
  await service.announce({
    keyset: toHex(keys.keysetBytes),
    evidence: new TextDecoder().decode(attested.evidence.document),
    policy: JSON.parse(canonicalJson(attested.policy)) as unknown,
    leafIndex: attested.leafIndex,
    leafExpiresAtUnix: attested.leaf.expiresAtUnix,
    hardwareIdHash: fieldToHex(attested.leaf.hardwareIdHash),
    models: [...offers].map(([modelId, { runner, price }]) => ({
      modelId: fieldToHex(modelId),
      price: price.toString(),
      name: runner.file.manifest.name,
      manifest: listedManifest(runner.file),
      inputs: runner.file.manifest.inputs,
      outputs: runner.file.manifest.outputs,
    })),
  });
}
