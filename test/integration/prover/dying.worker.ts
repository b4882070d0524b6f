/** The real program of a proving thread, in a thread that is killed when its first attempt has begun. */
import { workerData } from 'node:worker_threads';
import type { SettlementProofTask } from '#prover/interface.ts';
import type { GivenTask } from '#prover/thread-reply.ts';
import proveTask, { type ProvingThreadData } from '#prover/task.worker.ts';

export interface DyingThreadData extends ProvingThreadData {
  /** [0] attempts so far in all threads. */
  readonly attempts: SharedArrayBuffer;
}

export default async function proveOrDie(given: GivenTask<SettlementProofTask>): ReturnType<typeof proveTask> {
  const first = Atomics.add(new Int32Array((workerData as DyingThreadData).attempts), 0, 1) === 0;
  const running = proveTask(given);
  if (first) process.exit(9);
  return running;
}
