/** The program of a thread that proves settlements. */
import { isMainThread, workerData } from 'node:worker_threads';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ProvingArtefacts } from './artefacts.ts';
import type { BackendName } from './backend.ts';
import { backendsNamed } from './backends.ts';
import type { SettlementProofTask } from './interface.ts';
import { SegmentProver, type ProvenSegment } from './segment-prover.ts';
import { answerOf } from './thread-answer.ts';
import type { GivenTask, ThreadReply } from './thread-reply.ts';

/** What the pool gives a thread. It must not have a field `mod`: the library below snarkjs would take the thread for its own. */
export interface ProvingThreadData {
  readonly circuits: readonly ProvingArtefacts[];
  /** In the order of trying. */
  readonly backends: readonly BackendName[];
}

function proverOf({ circuits, backends }: ProvingThreadData): SegmentProver {
  return new SegmentProver(circuits, backendsNamed(backends));
}

const prover = isMainThread ? undefined : proverOf(workerData as ProvingThreadData);

/** Proves one task. Never throws for a bad task. */
export default function proveTask(given: GivenTask<SettlementProofTask>): Promise<ThreadReply<ProvenSegment>> {
  return answerOf(async () => {
    if (prover === undefined) throw new StunError('STUN_INTERNAL', 'this program runs in a thread only');
    return prover.prove(given);
  });
}
