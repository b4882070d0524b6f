/**
 * The program of a proving thread. It answers with a value or a code; an error it did not expect leaves the thread in an unknown
 * state, so it says so and is replaced.
 */
import { isMainThread, threadId, workerData } from 'node:worker_threads';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ProvingArtefacts } from './artefacts.ts';
import { chooseBackends, type BackendWish } from './backends.ts';
import type { SettlementProofTask } from './interface.ts';
import { SegmentProver, type ProvenSegment } from './segment-prover.ts';
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
export default async function proveTask({ task, control }: GivenTask<SettlementProofTask>): Promise<ThreadReply<ProvenSegment>> {
  try {
    if (prover === undefined) throw new StunError('STUN_INTERNAL', 'this program runs in a thread only');
    const value = await prover.prove(task, control);
    const { heapUsed, external } = process.memoryUsage();
    return { kind: 'done', value, heapBytes: heapUsed + external };
  } catch (error) {
    if (error instanceof StunError) return { kind: 'refused', code: error.code, reason: error.message, details: error.details };
    const text = error instanceof Error ? `${error.name}: ${error.message}` : 'a value that is no error was thrown';
    const outOfMemory = error instanceof RangeError && /memory|allocation/i.test(error.message);
    return { kind: 'broken', threadId, outOfMemory, reason: text.slice(0, 200) };
  }
}
