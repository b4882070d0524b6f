/** `stun receipt verify`: a receipt file, offline. */
import { createHash } from 'node:crypto';
import { assuranceNameOf, fieldToHex, orderKeyOf, StunError } from '#protocol/index.ts';
import { defaultTrustRoots } from '#attestation/index.ts';
import { verifyReceiptFile, type VerifiedReceipt } from '#client/index.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { extraRootsOf, readJson } from '../settings.ts';
import { showTime } from '../values.ts';
import { setupWarning } from './public-model.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function levelName(assurance: number): string {
  return assuranceNameOf(assurance) ?? 'unknown';
}

/** What is known of the answer beyond that a key signed it. */
function inferenceLines({ order, publicModel, inferenceProven }: VerifiedReceipt): string[] {
  const level = levelName(order.terms.assurance);
  if (publicModel === undefined) return [`level    ${level}; no proof of the inference is in question`];
  const { name, setup } = publicModel.model;
  return [
    `level    ${level}; ${inferenceProven ? `proven: ${name} gives this output on this input` : 'no inference proof in the file'}`,
    ...setupWarning(setup),
  ];
}

/** Verifies a receipt file and names the bytes that integrators hash. */
export async function receiptVerify({ args, options }: Invocation<object>): Promise<CommandResult> {
  const [path] = args;
  if (path === undefined) throw new StunError('STUN_INPUT', 'a receipt file was expected');
  const roots = [...defaultTrustRoots, ...(await extraRootsOf(options))];
  const verified = verifyReceiptFile(await readJson(path, 'receipt'), roots);
  const { receipt } = verified.record;
  const document = {
    verified: true,
    simulated: verified.simulated,
    settled: 'not checked: see stun audit verify',
    jobId: verified.jobId,
    receiptHash: verified.receiptHash,
    orderKey: orderKeyOf(verified.order.place.funder, verified.order.orderId),
    status: receipt.status,
    price: receipt.price.toString(),
    maxPrice: verified.header.maxPrice.toString(),
    startedAtUnix: receipt.startedAtUnix,
    finishedAtUnix: receipt.finishedAtUnix,
    modelId: fieldToHex(verified.order.opening.modelId),
    policyId: fieldToHex(verified.order.opening.policyId),
    keysetDigest: verified.keysetDigest,
    tcbStatus: verified.evidence.tcbStatus,
    inputSha256: `0x${sha256(verified.inputPayload)}`,
    outputSha256: `0x${sha256(verified.outputPayload)}`,
    inputCommitment: fieldToHex(verified.header.inputCommitment),
    outputCommitment: fieldToHex(receipt.outputCommitment),
    level: levelName(verified.order.terms.assurance),
    inferenceProven: verified.inferenceProven,
  };
  const text = [
    `The receipt holds: job ${verified.jobId}, ${receipt.status}, ${receipt.price} price units.`,
    ...(verified.simulated ? ['SIMULATED HARDWARE: the keys are not protected by anything.'] : []),
    `ran      ${showTime(receipt.startedAtUnix)} to ${showTime(receipt.finishedAtUnix)} by the clock of its host`,
    `enclave  ${verified.keysetDigest}, TCB ${verified.evidence.tcbStatus ?? 'certified'}`,
    `input    sha256 ${sha256(verified.inputPayload)} (${verified.inputPayload.length} bytes)`,
    `output   sha256 ${sha256(verified.outputPayload)} (${verified.outputPayload.length} bytes)`,
    ...inferenceLines(verified),
    'Whether it was settled is not checked here: see stun audit verify.',
  ].join('\n');
  return { document, text, exitCode: 0 };
}
