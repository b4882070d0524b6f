/** The program of a proving thread whose first backend exchanges two points of every proof. */
import { isMainThread, workerData } from 'node:worker_threads';
import { backendsNamed } from '#prover/backends.ts';
import type { Groth16Backend } from '#prover/backend.ts';
import type { SettlementProofTask } from '#prover/interface.ts';
import { SegmentProver, type ProvenSegment } from '#prover/segment-prover.ts';
import type { ProvingThreadData } from '#prover/task.worker.ts';
import { answerOf } from '#prover/thread-answer.ts';
import type { GivenTask, ThreadReply } from '#prover/thread-reply.ts';

const { circuits, backends } = workerData as ProvingThreadData;
const [right] = backendsNamed(backends);
const wrong: Groth16Backend = {
  ...right!,
  engine: 'wrong on purpose',
  measure: (...given) => right!.measure(...given),
  async prove(...given) {
    const made = await right!.prove(...given);
    return { ...made, a: made.c, c: made.a };
  },
};
const prover = isMainThread ? undefined : new SegmentProver(circuits, [wrong, right!]);

export default function proveWrongly(given: GivenTask<SettlementProofTask>): Promise<ThreadReply<ProvenSegment>> {
  return answerOf(() => prover!.prove(given));
}
