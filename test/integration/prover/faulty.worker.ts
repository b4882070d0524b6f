/** A thread program that dies, hangs or eats memory when it is told to. `times` says in how many attempts; a shared counter counts. */
import { threadId, workerData } from 'node:worker_threads';
import type { GivenTask, ThreadReply } from '#prover/thread-reply.ts';

export interface FaultyTask {
  readonly act:
    | 'double'
    | 'exit'
    | 'hang'
    | 'oom'
    | 'throw'
    | 'stray-error'
    | 'refuse'
    | 'broken'
    | 'wait-for-release'
    | 'tell-threads'
    | 'next';
  readonly value: number;
  /** Attempts that go wrong before one goes right; Infinity for all. */
  readonly times: number;
}

export interface FaultyData {
  /** [0] attempts so far, [1] released when 1. */
  readonly shared: SharedArrayBuffer;
}

const state = new Int32Array((workerData as FaultyData).shared);

export default async function run({ task, threads, backend, memoryBytes }: GivenTask<FaultyTask>): Promise<ThreadReply<number>> {
  const attempt = Atomics.add(state, 0, 1) + 1;
  if (attempt <= task.times) {
    switch (task.act) {
      case 'exit':
        process.exit(7);
        break;
      case 'hang':
        for (;;) if (state[0] === -1) break;
        break;
      case 'oom': {
        const hoard: object[] = [];
        for (;;) hoard.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
      }
      case 'throw':
        throw new Error('an error that crosses as an exception');
      case 'stray-error':
        setTimeout(() => {
          throw new Error('an error in the background');
        }, 1);
        await new Promise(() => {});
        break;
      case 'refuse':
        return { kind: 'refused', code: 'STUN_PROOF_WITNESS', reason: 'told to', details: { attempt } };
      case 'broken':
        return { kind: 'broken', threadId, outOfMemory: false, reason: 'told to' };
      case 'wait-for-release':
        Atomics.wait(state, 1, 0);
        break;
      case 'tell-threads':
        return { kind: 'done', value: threads, heapBytes: 1 };
      case 'next':
        if (backend < 2) return { kind: 'next', reason: `backend ${backend} failed on purpose` };
        return { kind: 'done', value: memoryBytes, heapBytes: 1 };
      case 'double':
        break;
    }
  }
  return { kind: 'done', value: 2 * task.value, heapBytes: 1 };
}
