/** A compiled model under the key of a ceremony of its own, registered with coordinators' approvals, and inferences that the prover proves. */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Wallet } from 'ethers';
import type { ProofPoints } from '#chain/escrow.ts';
import type { ModelApproval, ModelRegistration } from '#chain/models.ts';
import type { CompiledFolder } from '#circuits/model/folder.ts';
import { proofToChain } from '#chain/proof-forms.ts';
import {
  commitIntegers,
  compiledModelId,
  fromHex,
  randomField,
  signEip712,
  toHex,
  type Hex,
  type PublishedPair,
} from '#protocol/index.ts';
import { adoptedFixture } from '#test/circuits/adopted-model.ts';
import { inferenceProver } from '#test/unit/worker/compiled-fixture.ts';
import { HOUR, type Stage } from './stage.ts';

/** Where approvals count. */
export interface ApprovalPlace {
  readonly chainId: number;
  readonly registry: Hex;
  readonly deadlineUnix: number;
}

/** Approvals of a model's ceremony by coordinators. */
export function approvalsBy(
  wallets: readonly Wallet[],
  { verificationKey, manifestSha256, ceremonyHash }: ModelRegistration & { readonly verificationKey: Uint8Array },
  { chainId, registry, deadlineUnix }: ApprovalPlace,
): ModelApproval[] {
  const [manifest, ceremony] = [manifestSha256, ceremonyHash].map((hash) => fromHex(hash, 32)) as [Uint8Array, Uint8Array];
  const modelId = compiledModelId(sha256(verificationKey), manifest, ceremony);
  const domain = { chainId: BigInt(chainId), verifyingContract: registry };
  const message = { modelId, ceremonyHash, deadline: BigInt(deadlineUnix) };
  return wallets.map((wallet) => ({
    coordinator: wallet.address.toLowerCase(),
    deadlineUnix,
    signature: signEip712(fromHex(wallet.privateKey, 32), 'ModelApproval', domain, message),
  }));
}

/** What registers a compiled model. */
export function registrationOf(folder: CompiledFolder): ModelRegistration & { readonly verificationKey: Uint8Array } {
  const { verificationKeyBytes: verificationKey, manifest, ceremonyHash } = folder;
  return { verificationKey, manifestSha256: toHex(sha256(manifest)), ceremonyHash: toHex(ceremonyHash) };
}

/** Names two of the stage's attestors coordinators, both of whom must approve. */
export async function nameCoordinators(stage: Stage): Promise<readonly Wallet[]> {
  const { models } = stage.as(stage.owner);
  const coordinators = stage.attestors.slice(0, 2);
  for (const { address } of coordinators) await models.setCoordinator(address, true);
  await models.setThreshold(2);
  return coordinators;
}

/** Registers the adopted model on a stage. */
export async function registerAdopted(stage: Stage): Promise<{ readonly modelId: bigint }> {
  const registration = registrationOf(await adoptedFixture());
  const { chainId, models: registry } = stage.deployment;
  const place = { chainId, registry, deadlineUnix: (await stage.chain.nowUnix()) + HOUR };
  const approvals = approvalsBy(await nameCoordinators(stage), registration, place);
  const { event } = await stage.as(stage.stranger).models.register(registration, approvals);
  return { modelId: event.modelId };
}

/** An inference with what the chain is told of it. */
export interface ProvenInference {
  readonly pair: PublishedPair;
  readonly answer: ProofPoints;
}

/** Runs the adopted model on inputs and proves each, as a worker's pool does. */
export async function proveInferences(inputs: readonly (readonly number[])[]): Promise<ProvenInference[]> {
  const { directory, model, run } = await adoptedFixture();
  const prover = await inferenceProver(directory);
  try {
    const proven: ProvenInference[] = [];
    for (const input of inputs) {
      const [inputBlinding, outputBlinding] = [randomField(), randomField()];
      const inputCommitment = commitIntegers(model.input, input, inputBlinding);
      const outputCommitment = commitIntegers(model.output, run(input), outputBlinding);
      const pair = { inputCommitment, outputCommitment };
      const proof = await prover.prove({ modelId: model.modelId, input, inputBlinding, outputBlinding, ...pair });
      proven.push({ pair, answer: proofToChain(proof) });
    }
    return proven;
  } finally {
    await prover.close();
  }
}
