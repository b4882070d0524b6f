/** Where STUN is deployed: the record that every process reads, and its checks against the chain. */
import { z } from 'zod';
import type { ContractRunner, Provider } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { ASSURANCE } from '#protocol/terms.ts';
import type { ContractAccess } from './contract-access.ts';
import { chainErrorOf } from './errors.ts';
import { CourtContract } from './court.ts';
import { DEVELOPMENT_CHAIN_ID } from './dev-chain.ts';
import { EscrowContract } from './escrow.ts';
import { ModelRegistryContract } from './models.ts';
import { RegistryContract } from './registry.ts';
import { RouterContract } from './router.ts';
import { TokenContract } from './token.ts';

const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/, 'must be a lower-case address')
  .transform((text) => text as Hex);
const word = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/, 'must be 32 bytes of lower-case hex')
  .transform((text) => text as Hex);

const familySchema = z.strictObject({
  family: word,
  /** 0 attested; 2 for a family that settles challengeable and proven orders. */
  assurance: z.union([z.literal(0), z.literal(2)]),
  maxJobs: z.int().positive(),
  verifier: address,
  vkHash: word,
  ceremonyHash: word,
  development: z.boolean(),
});

/** The generic verifier of inferences; keys of models stand in the model registry. */
const inferenceSchema = z.strictObject({ family: word, verifier: address });

const deploymentSchema = z.strictObject({
  chainId: z.int().positive(),
  deployBlock: z.int().nonnegative(),
  owner: address,
  registry: address,
  router: address,
  models: address,
  escrow: address,
  court: address,
  token: address,
  poseidon2: address,
  poseidon5: address,
  poseidon6: address,
  inference: inferenceSchema,
  families: z.array(familySchema).min(1),
});

/** A settlement family of a deployment. */
export type DeployedFamily = Readonly<z.infer<typeof familySchema>>;

/** Addresses of a deployment, lower-case, and the block before which none of its events stands. */
export type Deployment = Readonly<z.infer<typeof deploymentSchema>>;

/**
 * Reads a deployment record.
 * @throws `STUN_CHAIN_DEPLOYMENT` naming the first field that is wrong, `STUN_CHAIN_DEVELOPMENT_VERIFIER`
 */
export function parseDeployment(value: unknown): Deployment {
  const parsed = deploymentSchema.safeParse(value);
  if (parsed.success) return withoutDevelopmentKeys(parsed.data);
  const issue = parsed.error.issues[0];
  throw new StunError('STUN_CHAIN_DEPLOYMENT', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`);
}

/** No process takes part where anybody can forge proofs, whatever the router there lets in. */
function withoutDevelopmentKeys(deployment: Deployment): Deployment {
  const development = deployment.families.find((family) => family.development);
  if (development === undefined || deployment.chainId === DEVELOPMENT_CHAIN_ID) return deployment;
  throw new StunError('STUN_CHAIN_DEVELOPMENT_VERIFIER', `family ${development.family} has a development key`, {
    details: { chainId: deployment.chainId },
  });
}

/**
 * The family of at least `jobs` jobs per proof, the smallest that fits.
 * @param assurance - of the order: 0 attested, 1 challengeable, 2 proven
 * @throws `STUN_FAMILY_UNKNOWN`
 */
export function familyForJobs(deployment: Deployment, jobs: number, assurance: number = ASSURANCE.attested): DeployedFamily {
  const offered = assurance === ASSURANCE.attested ? ASSURANCE.attested : ASSURANCE.proven;
  const fitting = deployment.families
    .filter((family) => family.maxJobs >= jobs && family.assurance === offered)
    .toSorted((a, b) => a.maxJobs - b.maxJobs);
  const smallest = fitting[0];
  if (smallest === undefined) throw new StunError('STUN_FAMILY_UNKNOWN', `no family proves ${jobs} jobs at once`);
  return smallest;
}

/** The contracts of a deployment. */
export interface StunContracts {
  readonly deployment: Deployment;
  readonly registry: RegistryContract;
  readonly router: RouterContract;
  readonly models: ModelRegistryContract;
  readonly escrow: EscrowContract;
  readonly court: CourtContract;
  readonly token: TokenContract;
}

/** Opens the contracts of a deployment for reading (a provider) or sending (a signer). Nothing is checked: see connectStun. */
export function contractsOf(deployment: Deployment, runner: ContractRunner): StunContracts {
  return {
    deployment,
    registry: new RegistryContract(deployment.registry, runner),
    router: new RouterContract(deployment.router, runner),
    models: new ModelRegistryContract(deployment.models, runner),
    escrow: new EscrowContract(deployment.escrow, runner),
    court: new CourtContract(deployment.court, runner),
    token: new TokenContract(deployment.token, runner),
  };
}

/**
 * Opens the contracts after checking that the node is on the deployment's chain, that the escrow is wired to this registry, router
 * and court and the court to these models, and that each family is there with the key or the verifier that the record names.
 * @throws `STUN_CHAIN_ID`, `STUN_CHAIN_DEPLOYMENT`, `STUN_CHAIN_DEVELOPMENT_VERIFIER`, `STUN_CHAIN_UNAVAILABLE`
 */
export async function connectStun(deployment: Deployment, runner: ContractRunner): Promise<StunContracts> {
  const contracts = contractsOf(withoutDevelopmentKeys(deployment), runner);
  await assertChain(contracts.escrow.access.provider, deployment.chainId);
  for (const name of ['registry', 'router', 'court'] as const) await assertWired(contracts.escrow.access, name, deployment[name]);
  await assertWired(contracts.court.access, 'models', deployment.models);
  for (const family of deployment.families) {
    const onChain = await contracts.router.family(family.family);
    const agrees =
      onChain.verifier === family.verifier &&
      onChain.vkHash === family.vkHash &&
      onChain.ceremonyHash === family.ceremonyHash &&
      onChain.maxJobs === family.maxJobs &&
      onChain.assurance === family.assurance &&
      onChain.development === family.development;
    if (!agrees) throw new StunError('STUN_CHAIN_DEPLOYMENT', `family ${family.family} is not on chain as the deployment says`);
  }
  const inference = await contracts.router.family(deployment.inference.family);
  if (inference.verifier !== deployment.inference.verifier || inference.maxJobs !== 0)
    throw new StunError('STUN_CHAIN_DEPLOYMENT', 'the inference family is not on chain as the deployment says');
  return contracts;
}

/** A contract names another one as the deployment does. @throws `STUN_CHAIN_DEPLOYMENT` */
async function assertWired(contract: ContractAccess, name: string, address: Hex): Promise<void> {
  const wired = String((await contract.read(name, []))[0]).toLowerCase();
  if (wired !== address) throw new StunError('STUN_CHAIN_DEPLOYMENT', `the contracts are wired to another ${name}`);
}

async function assertChain(provider: Provider, chainId: number): Promise<void> {
  let actual: number;
  try {
    actual = Number((await provider.getNetwork()).chainId);
  } catch (thrown) {
    throw chainErrorOf(thrown, 'asking the node for its chain');
  }
  if (actual !== chainId) throw new StunError('STUN_CHAIN_ID', `expected chain ${chainId}, the node is on ${actual}`);
}
