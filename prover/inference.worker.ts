/** The program of a thread that proves inferences. */
import { isMainThread, workerData } from 'node:worker_threads';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import { chooseBackends, type BackendWish } from './backends.ts';
import type { InferenceArtefacts } from './inference-artefacts.ts';
import { ThreadInferenceProver } from './inference-prover.ts';
import type { InferenceTask } from './interface.ts';
import { answerOf } from './thread-answer.ts';
import type { GivenTask, ThreadReply } from './thread-reply.ts';

/** What the pool gives a thread. */
export interface InferenceThreadData {
  readonly models: readonly InferenceArtefacts[];
  readonly backend: BackendWish;
  readonly memoryLimitMb: number;
}

function proverOf({ models, backend, memoryLimitMb }: InferenceThreadData): ThreadInferenceProver {
  return new ThreadInferenceProver(models, chooseBackends(backend).backends, memoryLimitMb);
}

const prover = isMainThread ? undefined : proverOf(workerData as InferenceThreadData);

/** Proves one inference. Never throws for a bad task. */
export default function proveInference({ task, control, threads }: GivenTask<InferenceTask>): Promise<ThreadReply<ProofPoints>> {
  return answerOf(async () => {
    if (prover === undefined) throw new StunError('STUN_INTERNAL', 'this program runs in a thread only');
    return prover.prove(task, threads, control);
  });
}
