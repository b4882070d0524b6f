/** The confidential part of a job: from opened request data to the payload that is committed to and sealed. */
import {
  asStunError,
  assertInputRange,
  commitIntegers,
  decodeTensors,
  encodeErrorPayload,
  encodeTensors,
  payloadCommitment,
  StunError,
  tensorIntegers,
  type ErrorCode,
  type JobHeader,
  type JobStatus,
  type RequestData,
} from '#protocol/index.ts';
import type { InferenceTask } from '#prover/interface.ts';
import type { Enclave, Offer } from './enclave.ts';
import { agreedOutput } from './model/compiled.ts';
import type { CompiledProgram } from './model/manifest.ts';

/** How the run ended. */
export interface Execution {
  readonly status: JobStatus;
  /** Output tensors, or the error payload. */
  readonly payload: Uint8Array;
  readonly outputCommitment: bigint;
  /** Set when the job failed. */
  readonly code?: ErrorCode;
  /** What a proof of a compiled model's inference is made from: the input in clear, so it stays in the enclave. */
  readonly inference?: InferenceTask;
}

/**
 * Checks the input against its commitment and runs the model. Never throws for a bad job: that becomes a failed execution, which
 * gets a receipt at price 0. A compiled model commits to tensors, and its output is held to the integer program.
 */
export async function execute(
  offer: Offer,
  header: JobHeader,
  request: RequestData,
  alterOutput?: Enclave['alterOutput'],
): Promise<Execution> {
  try {
    const { compiled } = offer.runner.file;
    if (compiled !== undefined) return await executeCompiled(compiled, offer, header, request, alterOutput);
    assertCommitted(payloadCommitment(request.payload, request.inputBlinding), header);
    const payload = encodeTensors(await offer.runner.run(decodeTensors(request.payload)));
    return { status: 'served', payload, outputCommitment: payloadCommitment(payload, request.outputBlinding) };
  } catch (thrown) {
    const { code } = asStunError(thrown);
    const payload = encodeErrorPayload(code);
    return { status: 'failed', payload, outputCommitment: payloadCommitment(payload, request.outputBlinding), code };
  }
}

function assertCommitted(commitment: bigint, header: JobHeader): void {
  if (commitment !== header.inputCommitment) {
    throw new StunError('STUN_INPUT_COMMITMENT', 'the decrypted input does not match the commitment of the demand');
  }
}

async function executeCompiled(
  compiled: CompiledProgram,
  offer: Offer,
  header: JobHeader,
  request: RequestData,
  alterOutput: Enclave['alterOutput'],
): Promise<Execution> {
  const { model } = compiled;
  const { inputBlinding, outputBlinding } = request;
  const input = tensorIntegers(model.input, request.payload);
  assertInputRange(model.inputMaxima, input);
  const inputCommitment = commitIntegers(model.input, input, inputBlinding);
  assertCommitted(inputCommitment, header);
  const agreed = agreedOutput(compiled, input, await offer.runner.run(decodeTensors(request.payload)));
  const payload = alterOutput?.(agreed.payload) ?? agreed.payload;
  const outputCommitment = commitIntegers(model.output, tensorIntegers(model.output, payload), outputBlinding);
  const inference = { modelId: model.modelId, input, inputBlinding, outputBlinding, inputCommitment, outputCommitment };
  return { status: 'served', payload, outputCommitment, inference };
}
