/** What a thread answers for one task; errors are data, because an error that crosses a thread boundary loses its code. */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { ErrorDetails } from '#protocol/errors/stun-error.ts';
import type { Groth16Options } from './backend.ts';

/** A task as a thread gets it. */
export interface GivenTask<Task> {
  readonly task: Task;
  /** For this attempt alone: not 0 in the first word when nobody wants its result any more; the thread writes its stage to the second. */
  readonly control: SharedArrayBuffer;
  /** Cores that this attempt may use. */
  readonly threads: number;
  /** Which backend makes this attempt: 0 for the first, one more each time that a thread answered `next`. */
  readonly backend: number;
  /** Memory that this attempt may take. */
  readonly memoryBytes: number;
}

/** How a backend is to make the proof of a given task. */
export function proofOptionsOf({ threads, memoryBytes, control }: GivenTask<unknown>): Groth16Options {
  return { threads, memoryLimitMb: Math.max(1, Math.ceil(memoryBytes / 2 ** 20)), control };
}

/** Bytes of a control block. */
export const CONTROL_BYTES = 8;

export type ThreadReply<Value> =
  | { readonly kind: 'done'; readonly value: Value; readonly heapBytes: number }
  /** The task's own fault: it fails for good, the thread is sound. */
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string; readonly details: ErrorDetails }
  /** The backend failed, and there is another: the task is to be given again. */
  | { readonly kind: 'next'; readonly reason: string }
  /** Nobody knows: the thread is replaced and the task gets a second attempt. */
  | { readonly kind: 'broken'; readonly threadId: number; readonly outOfMemory: boolean; readonly reason: string };
