/** The confidential part of a job: from opened request data to the payload that is committed to and sealed. */
import {
  asStunError,
  decodeTensors,
  encodeErrorPayload,
  encodeTensors,
  payloadCommitment,
  StunError,
  type ErrorCode,
  type JobHeader,
  type JobStatus,
  type RequestData,
} from '#protocol/index.ts';
import type { Offer } from './enclave.ts';

/** How the run ended. */
export interface Execution {
  readonly status: JobStatus;
  /** Output tensors, or the error payload. */
  readonly payload: Uint8Array;
  /** Set when the job failed. */
  readonly code?: ErrorCode;
}

/**
 * Checks the input against its commitment and runs the model. Never throws for a bad job: that becomes a failed execution, which
 * gets a receipt at price 0.
 */
export async function execute(offer: Offer, header: JobHeader, request: RequestData): Promise<Execution> {
  try {
    if (payloadCommitment(request.payload, request.inputBlinding) !== header.inputCommitment) {
      throw new StunError('STUN_INPUT_COMMITMENT', 'the decrypted input does not match the commitment of the demand');
    }
    const outputs = await offer.runner.run(decodeTensors(request.payload));
    return { status: 'served', payload: encodeTensors(outputs) };
  } catch (thrown) {
    const { code } = asStunError(thrown);
    return { status: 'failed', payload: encodeErrorPayload(code), code };
  }
}
