/** The program of a proving thread whose first backend exchanges two points of every proof. */
import { isMainThread, workerData } from 'node:worker_threads';
import { chooseBackends } from '#prover/backends.ts';
import type { Groth16Backend } from '#prover/backend.ts';
import type { SettlementProofTask } from '#prover/interface.ts';
import { SegmentProver, type ProvenSegment } from '#prover/segment-prover.ts';
import type { ProvingThreadData } from '#prover/task.worker.ts';
import type { GivenTask, ThreadReply } from '#prover/thread-reply.ts';

const { circuits, backend, memoryLimitMb } = workerData as ProvingThreadData;
const [right] = chooseBackends(backend).backends;
const wrong: Groth16Backend = {
  name: 'native',
  engine: 'wrong on purpose',
  async prove(...given) {
    const made = await right!.prove(...given);
    return { ...made, a: made.c, c: made.a };
  },
};
const prover = isMainThread ? undefined : new SegmentProver(circuits, [wrong, right!], memoryLimitMb);

export default async function proveWrongly({
  task,
  threads,
}: GivenTask<SettlementProofTask>): Promise<ThreadReply<ProvenSegment>> {
  return { kind: 'done', value: await prover!.prove(task, threads), heapBytes: 0 };
}
