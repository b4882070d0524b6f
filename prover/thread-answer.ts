/** Runs a task in a thread and turns whatever happens into an answer: errors are data between threads. */
import { threadId } from 'node:worker_threads';
import { StunError } from '#protocol/errors/stun-error.ts';
import { BackendFailed } from './retry-backends.ts';
import type { ThreadReply } from './thread-reply.ts';

/** Never throws. An error that was not expected leaves the thread in an unknown state, and the answer says so. */
export async function answerOf<Value>(work: () => Promise<Value>): Promise<ThreadReply<Value>> {
  try {
    const value = await work();
    const { heapUsed, external } = process.memoryUsage();
    return { kind: 'done', value, heapBytes: heapUsed + external };
  } catch (error) {
    if (error instanceof StunError) return { kind: 'refused', code: error.code, reason: error.message, details: error.details };
    if (error instanceof BackendFailed) return { kind: 'next', reason: error.message };
    const text = error instanceof Error ? `${error.name}: ${error.message}` : 'a value that is no error was thrown';
    const outOfMemory = error instanceof RangeError && /memory|allocation/i.test(error.message);
    return { kind: 'broken', threadId, outOfMemory, reason: text.slice(0, 200) };
  }
}
