/** The program of a thread that proves settlements. */
import { isMainThread, workerData } from 'node:worker_threads';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ProvingArtefacts } from './artefacts.ts';
import { chooseBackends, type BackendWish } from './backends.ts';
import type { SettlementProofTask } from './interface.ts';
import { SegmentProver, type ProvenSegment } from './segment-prover.ts';
import { answerOf } from './thread-answer.ts';
import type { GivenTask, ThreadReply } from './thread-reply.ts';

/** What the pool gives a thread. It must not have a field `mod`: the library below snarkjs would take the thread for its own. */
export interface ProvingThreadData {
  readonly circuits: readonly ProvingArtefacts[];
  readonly backend: BackendWish;
  readonly memoryLimitMb: number;
}

function proverOf({ circuits, backend, memoryLimitMb }: ProvingThreadData): SegmentProver {
  return new SegmentProver(circuits, chooseBackends(backend).backends, memoryLimitMb);
}

const prover = isMainThread ? undefined : proverOf(workerData as ProvingThreadData);

/** Proves one task. Never throws for a bad task. */
export default function proveTask({
  task,
  control,
  threads,
}: GivenTask<SettlementProofTask>): Promise<ThreadReply<ProvenSegment>> {
  return answerOf(async () => {
    if (prover === undefined) throw new StunError('STUN_INTERNAL', 'this program runs in a thread only');
    return prover.prove(task, threads, control);
  });
}
