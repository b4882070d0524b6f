/** The program of a thread that proves inferences. */
import { isMainThread, workerData } from 'node:worker_threads';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import type { BackendName } from './backend.ts';
import { backendsNamed } from './backends.ts';
import type { InferenceArtefacts } from './inference-artefacts.ts';
import { ThreadInferenceProver } from './inference-prover.ts';
import type { InferenceTask } from './interface.ts';
import { answerOf } from './thread-answer.ts';
import type { GivenTask, ThreadReply } from './thread-reply.ts';

/** What the pool gives a thread. */
export interface InferenceThreadData {
  readonly models: readonly InferenceArtefacts[];
  /** In the order of trying. */
  readonly backends: readonly BackendName[];
}

function proverOf({ models, backends }: InferenceThreadData): ThreadInferenceProver {
  return new ThreadInferenceProver(models, backendsNamed(backends));
}

const prover = isMainThread ? undefined : proverOf(workerData as InferenceThreadData);

/** Proves one inference. Never throws for a bad task. */
export default function proveInference(given: GivenTask<InferenceTask>): Promise<ThreadReply<ProofPoints>> {
  return answerOf(async () => {
    if (prover === undefined) throw new StunError('STUN_INTERNAL', 'this program runs in a thread only');
    return prover.prove(given);
  });
}
