/** `stun model approve` and `stun model register`: how a compiled model gets on chain. docs/proven-inference.md. */
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import {
  addressHex,
  bytes32Hex,
  bytesHex,
  fieldToHex,
  fromHex,
  readDocument,
  signEip712,
  StunError,
  toHex,
  unixSeconds,
  utf8,
} from '#protocol/index.ts';
import { assertSetupCounts } from '#chain/models.ts';
import { assertMadeFromProgram } from '#circuits/model/adopt-key.ts';
import { readCompiledFolder } from '#circuits/model/folder.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { deploymentOf, readJson, secretOf } from '../settings.ts';
import { parseTime } from '../values.ts';
import { publicModelOf, setupWarning } from './public-model.ts';
import { save } from './result.ts';
import { connectSigner } from './settle.ts';

const approvalSchema = z.strictObject({
  modelId: bytes32Hex,
  coordinator: addressHex,
  deadlineUnix: unixSeconds,
  signature: bytesHex,
});

/** Options of `model approve`. */
export interface ModelApproveOptions {
  readonly out: string;
  readonly deadline: string;
}

/**
 * Signs a coordinator's approval of the ceremony of a model, once its ONNX file and constraints are what the integer program gives. The
 * transcript in the folder is for the coordinator to verify before, and who contributed to judge.
 */
export async function modelApprove({ args, options }: Invocation<ModelApproveOptions>): Promise<CommandResult> {
  const folder = await readCompiledFolder(args[0] ?? '');
  const { model, ceremonyHash } = folder;
  if (model.setup === 'development') {
    throw new StunError('STUN_INPUT', 'a development key had no ceremony that could be approved');
  }
  const deployment = await deploymentOf(options);
  assertSetupCounts(model, deployment.chainId);
  await assertMadeFromProgram(folder);
  const secret = await secretOf('STUN_PRIVATE_KEY');
  if (secret === undefined) throw new StunError('STUN_CONFIG', 'the key of the coordinator is needed: set STUN_PRIVATE_KEY');
  const { Wallet } = await import('ethers');
  const coordinator = new Wallet(secret).address.toLowerCase();
  const deadlineUnix = parseTime(options.deadline, '--deadline', Math.floor(Date.now() / 1000));
  const { modelId } = model;
  const signature = signEip712(
    fromHex(secret, 32, 'key'),
    'ModelApproval',
    { chainId: BigInt(deployment.chainId), verifyingContract: deployment.models },
    { modelId, ceremonyHash: toHex(ceremonyHash), deadline: BigInt(deadlineUnix) },
  );
  const approval: z.infer<typeof approvalSchema> = { modelId: fieldToHex(modelId), coordinator, deadlineUnix, signature };
  await save(options.out, `${JSON.stringify(approval, null, 1)}\n`);
  return {
    document: approval,
    text: `${coordinator} approves model ${approval.modelId}; written to ${options.out}`,
    exitCode: 0,
  };
}

/** Options of `model register`. */
export interface ModelRegisterOptions {
  readonly approval?: readonly string[];
}

/** Registers a model with the approvals of its coordinators; a development key needs none and is taken on chain id 31337 alone. */
export async function modelRegister({ args, options, context }: Invocation<ModelRegisterOptions>): Promise<CommandResult> {
  const { model, manifest, verificationKey, ceremonyHash } = await publicModelOf(args[0] ?? '');
  const modelId = fieldToHex(model.modelId);
  const deployment = await deploymentOf(options);
  assertSetupCounts(model, deployment.chainId);
  const approvals = [];
  for (const path of options.approval ?? []) {
    const approval = readDocument(approvalSchema, await readJson(path, 'approval'), 'approval');
    if (approval.modelId !== modelId) throw new StunError('STUN_MODEL_APPROVALS', `${path} approves another model`);
    approvals.push(approval);
  }
  const { contracts, close } = await connectSigner(options, deployment, true);
  try {
    context.progress('registering the model on chain');
    const registration = {
      verificationKey,
      manifestSha256: toHex(sha256(utf8(manifest))),
      ceremonyHash: toHex(ceremonyHash),
    };
    const { event, transactionHash, gasUsed } = await contracts.models.register(registration, approvals);
    const { development } = event;
    return {
      document: { modelId, development, key: event.key, transactionHash, gasUsed: gasUsed.toString() },
      text: [`registered model ${modelId} (${model.name}) in ${transactionHash}`, ...setupWarning(model.setup)].join('\n'),
      exitCode: 0,
    };
  } finally {
    close();
  }
}
