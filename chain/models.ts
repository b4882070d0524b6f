/** Typed access to ModelRegistry: verification keys of compiled models and who approved their ceremonies. */
import type { ContractRunner } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import type { CompiledModel } from '#protocol/compiled-model.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { artifacts } from './artifacts.ts';
import { ContractAccess, lowerAddress, type EventPlace, type MinedTransaction } from './contract-access.ts';
import { DEVELOPMENT_CHAIN_ID } from './dev-chain.ts';
import type { PlacedEvent } from './escrow-events.ts';

/** What is registered of a model. */
export interface RegisteredModel {
  readonly modelId: bigint;
  /** The contract whose code is the verification key. */
  readonly key: Hex;
  /** The key has a public trapdoor: chain id 31337 only. */
  readonly development: boolean;
  readonly vkHash: Hex;
  readonly manifestSha256: Hex;
  /** sha256 of the transcript; zero for a development key. */
  readonly ceremonyHash: Hex;
}

/**
 * Refuses a compiled model whose setup counts on the development chain alone: a development key, or a rehearsal, which the registry cannot tell
 * from a ceremony.
 * @throws `STUN_CHAIN_DEVELOPMENT_VERIFIER`, `STUN_CEREMONY_PTAU_DIGEST`
 */
export function assertSetupCounts({ name, setup }: Pick<CompiledModel, 'name' | 'setup'>, chainId: number): void {
  if (setup === 'ceremony' || chainId === DEVELOPMENT_CHAIN_ID) return;
  const code = setup === 'development' ? 'STUN_CHAIN_DEVELOPMENT_VERIFIER' : 'STUN_CEREMONY_PTAU_DIGEST';
  throw new StunError(code, `the setup of ${name} is a ${setup}, which counts on chain id ${DEVELOPMENT_CHAIN_ID} alone`);
}

/** A coordinator's EIP-712 ModelApproval, docs/protocol.md section 5. */
export interface ModelApproval {
  readonly coordinator: string;
  readonly deadlineUnix: number;
  readonly signature: string;
}

/** What registers a model. */
export interface ModelRegistration {
  /** 640 bytes, docs/protocol.md section 3. */
  readonly verificationKey: Uint8Array | Hex;
  readonly manifestSha256: Hex;
  /** Zero says that the key is a development key. */
  readonly ceremonyHash: Hex;
}

/** A ModelRegistered event. */
export interface ModelRegistered extends RegisteredModel {
  readonly place: EventPlace;
}

/** A ModelApproved event. */
export interface ModelApproved {
  readonly modelId: bigint;
  readonly by: Hex;
  readonly place: EventPlace;
}

/** The model registry. All failures are StunErrors. */
export class ModelRegistryContract {
  readonly access: ContractAccess;

  constructor(address: string, runner: ContractRunner) {
    this.access = new ContractAccess(artifacts.ModelRegistry, address, runner);
  }

  /**
   * Registers a model. The contract computes its identifier from the key, the manifest's digest and the ceremony's.
   * @param approvals - of a quorum of coordinators, sorted here; none for a development key
   * @throws `STUN_MODEL_KEY`, `STUN_MODEL_APPROVALS`, `STUN_MODEL_REGISTERED`, `STUN_CHAIN_DEVELOPMENT_VERIFIER`
   */
  async register(
    registration: ModelRegistration,
    approvals: readonly ModelApproval[] = [],
  ): Promise<MinedTransaction & { readonly event: ModelRegistered }> {
    const sorted = approvals
      .toSorted((a, b) => (BigInt(a.coordinator) < BigInt(b.coordinator) ? -1 : 1))
      .map(({ coordinator, deadlineUnix, signature }) => [coordinator, deadlineUnix, signature]);
    const { verificationKey, manifestSha256, ceremonyHash } = registration;
    const mined = await this.access.send('register', [verificationKey, manifestSha256, ceremonyHash, sorted]);
    const event = this.access.eventsIn(mined.receipt, 'ModelRegistered').map(registeredOf)[0];
    if (event === undefined) throw new StunError('STUN_CHAIN_DEPLOYMENT', 'registering a model emitted no ModelRegistered event');
    return { ...mined, event };
  }

  /** Records that the sender approves the ceremony of a registered model. @throws `STUN_MODEL_UNREGISTERED` */
  approve(modelId: bigint): Promise<MinedTransaction> {
    return this.access.send('approve', [modelId]);
  }

  /** What is registered of a model. @throws `STUN_MODEL_UNREGISTERED` */
  async model(modelId: bigint): Promise<RegisteredModel> {
    const model = (await this.access.read('modelOf', [modelId]))[0] as Record<string, unknown>;
    const key = lowerAddress(model['key']);
    if (BigInt(key) === 0n) throw new StunError('STUN_MODEL_UNREGISTERED', 'the registry has no such model');
    return {
      modelId,
      key,
      development: Boolean(model['development']),
      vkHash: String(model['vkHash']) as Hex,
      manifestSha256: String(model['manifestSha256']) as Hex,
      ceremonyHash: String(model['ceremonyHash']) as Hex,
    };
  }

  /** Whether the registry knows a model. */
  async isRegistered(modelId: bigint): Promise<boolean> {
    const model = (await this.access.read('modelOf', [modelId]))[0] as Record<string, unknown>;
    return BigInt(lowerAddress(model['key'])) !== 0n;
  }

  /** Whether an account approved a model's ceremony, as a coordinator or for itself. */
  async isApprovedBy(modelId: bigint, account: string): Promise<boolean> {
    return Boolean((await this.access.read('approvedBy', [modelId, account]))[0]);
  }

  /** Registrations of a model between blocks: one, or none. */
  async registrations(modelId: bigint, fromBlock: number): Promise<readonly ModelRegistered[]> {
    return (await this.access.events('ModelRegistered', [modelId], fromBlock)).map(registeredOf);
  }

  /**
   * Approvals of a model's ceremony between blocks. Those in the transaction that registered the model are of coordinators of that day; every
   * other account spoke for itself.
   */
  async approvals(modelId: bigint, fromBlock: number): Promise<readonly ModelApproved[]> {
    const events = await this.access.events('ModelApproved', [modelId], fromBlock);
    return events.map(({ args, place }) => ({ modelId, by: lowerAddress(args.getValue('by')), place }));
  }

  /** Approvals that a ceremony's model needs; 0 before the owner set it, and then none can be registered. */
  async threshold(): Promise<number> {
    return Number((await this.access.read('threshold', []))[0]);
  }

  /** Owner: adds or removes a coordinator. */
  setCoordinator(coordinator: string, active: boolean): Promise<MinedTransaction> {
    return this.access.send('setCoordinator', [coordinator, active]);
  }

  /** Owner: sets how many coordinators must approve. */
  setThreshold(threshold: number): Promise<MinedTransaction> {
    return this.access.send('setThreshold', [threshold]);
  }
}

function registeredOf({ args, place }: PlacedEvent): ModelRegistered {
  const [modelId, key, vkHash, manifestSha256, ceremonyHash, development] = args.toArray() as readonly unknown[];
  return {
    modelId: BigInt(String(modelId)),
    key: lowerAddress(key),
    development: Boolean(development),
    vkHash: String(vkHash) as Hex,
    manifestSha256: String(manifestSha256) as Hex,
    ceremonyHash: String(ceremonyHash) as Hex,
    place,
  };
}
