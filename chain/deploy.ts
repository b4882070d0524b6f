/**
 * Deployment of STUN: Poseidon, registries, router with its families, escrow, token. Refuses development verifiers anywhere but on
 * chain id 31337, as the router does itself, and every other verifier on any chain unless its key is on the allow-list with the transcript
 * of its ceremony: the missing mark of a development key says nothing. Checks what it deployed.
 */
import { ContractFactory, keccak256, type Provider, type Signer } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import { assertAllowed, type AllowedKey } from '#protocol/ceremony.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { ASSURANCE } from '#protocol/terms.ts';
import { artifacts, type Artifact } from './artifacts.ts';
import { ContractAccess, lowerAddress, type MinedTransaction } from './contract-access.ts';
import type { Deployment, DeployedFamily } from './deployment.ts';
import { DEVELOPMENT_CHAIN_ID } from './dev-chain.ts';
import { EscrowContract } from './escrow.ts';
import { chainErrorOf } from './errors.ts';
import { receiptOf } from './mined.ts';
import { RegistryContract } from './registry.ts';
import { inferenceFamilyIdOf, RouterContract, settlementFamilyIdOf } from './router.ts';
import { NATIVE_TOKEN } from './token.ts';
import { verifierArtifacts } from './verifier-artifacts.ts';

/** A verifier to deploy. */
export interface VerifierSource {
  readonly artifact: Artifact;
  /** Text of its ceremony's transcript; undefined for a development key. */
  readonly transcript: string | undefined;
}

/** Verifiers of ceremonies, and the keys that count. */
export interface CeremonyVerifiers {
  readonly sources: readonly VerifierSource[];
  readonly allowed: readonly AllowedKey[];
}

/** What a deployment needs to be told. */
export interface DeployOptions {
  /** Attestors of the registry, at least `threshold` of them. */
  readonly attestors: readonly string[];
  readonly threshold: number;
  /** Hundredths of a per cent, at most 500. */
  readonly feeBps: number;
  readonly feeAccount: string;
  /** Who can freeze families and revoke enclaves. */
  readonly guardian: string;
  /** Verifiers in place of the generated ones of contracts/verifiers, which have development keys. */
  readonly ceremonies?: CeremonyVerifiers;
  /** Who receives the supply of the STUN token; the deployer when not given. */
  readonly tokenHolder?: string;
}

/** "No ceremony": sha256("stun/no-ceremony/v1"). */
export const NO_CEREMONY: Hex = '0x32555f8b63a3f99e08d4b571851bc8e53899687a5d8832aa5eec130cff202e0b';

/**
 * Deploys everything with the signer as owner.
 * @throws `STUN_CHAIN_DEVELOPMENT_VERIFIER`, `STUN_CHAIN_DEPLOYMENT`, `STUN_CEREMONY_NOT_ALLOWED`, `STUN_CEREMONY_TRANSCRIPT`,
 *   `STUN_CEREMONY_CIRCUIT`, and what the chain refuses
 */
export async function deployStun(signer: Signer, options: DeployOptions): Promise<Deployment> {
  const provider = providerOf(signer);
  const chainId = Number((await provider.getNetwork()).chainId);
  const owner = lowerAddress(await signer.getAddress());
  const deployBlock = await provider.getBlockNumber();
  const poseidon2 = await deployContract(signer, artifacts.Poseidon2, []);
  const poseidon5 = await deployContract(signer, artifacts.Poseidon5, []);
  const registry = await deployContract(signer, artifacts.EnclaveRegistry, [owner, options.guardian, poseidon2, poseidon5]);
  const poseidon6 = await deployContract(signer, artifacts.Poseidon6, []);
  const models = await deployContract(signer, artifacts.ModelRegistry, [owner, poseidon6]);
  const router = await deployContract(signer, artifacts.VerifierRouter, [owner, options.guardian]);
  const escrowArgs = [owner, registry, router, models, options.feeBps, options.feeAccount];
  const escrow = await deployContract(signer, artifacts.OrderEscrow, escrowArgs);
  const token = await deployContract(signer, artifacts.StunToken, [options.tokenHolder ?? owner]);

  const registryContract = new RegistryContract(registry, signer);
  for (const attestor of options.attestors) await registryContract.setAttestor(attestor, true);
  await registryContract.setThreshold(options.threshold);
  const families: DeployedFamily[] = [];
  const { sources, allowed } = options.ceremonies ?? developmentVerifiers();
  for (const source of sources) families.push(await deployFamily(signer, router, source, allowed, chainId));
  const inference = await deployInference(signer, router);
  const escrowContract = new EscrowContract(escrow, signer);
  const court = lowerAddress((await escrowContract.access.read('court', []))[0]);
  for (const listed of [NATIVE_TOKEN, token]) await setToken(escrowContract, listed);
  const poseidons = { poseidon2, poseidon5, poseidon6 };
  return { chainId, deployBlock, owner, registry, router, models, escrow, court, token, ...poseidons, inference, families };
}

/** Owner: lists a token for new orders. */
export function setToken(escrow: EscrowContract, token: string, listed = true): Promise<MinedTransaction> {
  return escrow.access.send('setToken', [token, listed]);
}

/** The generated verifiers; all of them have development keys. */
function developmentVerifiers(): CeremonyVerifiers {
  return { sources: verifierArtifacts.map((artifact) => ({ artifact, transcript: undefined })), allowed: [] };
}

/** Deploys a verifier and adds its family. @throws as {@link deployStun} */
export async function deployFamily(
  signer: Signer,
  router: string,
  source: VerifierSource,
  allowed: readonly AllowedKey[],
  chainId: number,
): Promise<DeployedFamily> {
  const verifier = await deployContract(signer, source.artifact, []);
  const access = new ContractAccess(source.artifact, verifier, signer);
  const vkHash = String((await access.read('VK_HASH', []))[0]) as Hex;
  const maxJobs = Number((await access.read('N', []))[0]);
  const development = Boolean((await access.read('DEVELOPMENT', []))[0]);
  if (development && chainId !== DEVELOPMENT_CHAIN_ID) {
    throw new StunError('STUN_CHAIN_DEVELOPMENT_VERIFIER', `${source.artifact.contractName} has a development key`, {
      details: { chainId },
    });
  }
  const contract = new RouterContract(router, signer);
  const ceremonyHash = development ? NO_CEREMONY : assertAllowed(allowed, vkHash, source.transcript).transcriptHash;
  if (!development) await contract.allowVerificationKey(vkHash, ceremonyHash);
  const assurance = publishesPairs(source.artifact) ? ASSURANCE.proven : ASSURANCE.attested;
  if (assurance === ASSURANCE.proven) await contract.addProvenFamily(verifier, maxJobs, vkHash, ceremonyHash);
  else await contract.addSettlementFamily(verifier, maxJobs, vkHash, ceremonyHash);
  return { family: settlementFamilyIdOf(maxJobs, vkHash), assurance, maxJobs, verifier, vkHash, ceremonyHash, development };
}

/** Whether a generated verifier takes the pairs of paid jobs among its signals. */
function publishesPairs(verifier: Artifact): boolean {
  const verify = verifier.abi.find((entry) => entry.name === 'verifyProof');
  return verify?.inputs?.at(-1)?.type === 'uint256[40]';
}

/** Deploys the generic verifier of inferences and adds its family. */
async function deployInference(signer: Signer, router: string): Promise<Deployment['inference']> {
  const verifier = await deployContract(signer, artifacts.InferenceVerifier, []);
  await new RouterContract(router, signer).addInferenceFamily(verifier);
  const code = await providerOf(signer).getCode(verifier);
  return { family: inferenceFamilyIdOf(keccak256(code)), verifier };
}

/** Deploys one contract and returns its address. */
export async function deployContract(signer: Signer, artifact: Artifact, args: readonly unknown[]): Promise<Hex> {
  try {
    const factory = new ContractFactory([...artifact.abi], artifact.bytecode, signer);
    const contract = await factory.deploy(...args);
    const sent = contract.deploymentTransaction();
    if (sent === null) throw new StunError('STUN_INTERNAL', `no transaction deploys ${artifact.contractName}`);
    await receiptOf(sent);
    return lowerAddress(await contract.getAddress());
  } catch (thrown) {
    throw chainErrorOf(thrown, `deploying ${artifact.contractName}`);
  }
}

function providerOf(signer: Signer): Provider {
  if (signer.provider === null) throw new StunError('STUN_CONFIG', 'the deploying signer has no provider');
  return signer.provider;
}
