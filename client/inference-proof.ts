/** Inference proofs of own jobs: fetched from a service that is not trusted, verified before anybody sees them. */
import type { ProofPoints } from '#protocol/index.ts';
import { verifyProof } from './audit/groth16.ts';
import type { ClientConnection } from './connection.ts';
import type { JobResult } from './result.ts';

/**
 * The proof that the order's model gives this job's output on its input. There is one once the segment of the job was handed over.
 * @returns undefined while there is none, and for jobs that need none
 * @throws `STUN_PROOF_INVALID` for one that does not hold, `STUN_SERVICE_*`
 */
export async function inferenceProofOf(client: ClientConnection, result: JobResult): Promise<ProofPoints | undefined> {
  const { order, job, outcome } = result;
  if (order.publicModel === undefined || outcome.record.receipt.price === 0n) return undefined;
  const { inferenceProof } = await client.service.receipt(result.jobId);
  if (inferenceProof === undefined) return undefined;
  const signals = [job.header.inputCommitment, outcome.record.receipt.outputCommitment];
  verifyProof(order.publicModel.verificationKey, inferenceProof, signals);
  return inferenceProof;
}
