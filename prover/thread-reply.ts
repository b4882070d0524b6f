/** What a thread answers for one task; errors are data, because an error that crosses a thread boundary loses its code. */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { ErrorDetails } from '#protocol/errors/stun-error.ts';

/** A task as a thread gets it. */
export interface GivenTask<Task> {
  readonly task: Task;
  /** For this attempt alone: not 0 in the first word when nobody wants its result any more; the thread writes its stage to the second. */
  readonly control: SharedArrayBuffer;
  /** Cores that this attempt may use. */
  readonly threads: number;
}

/** Bytes of a control block. */
export const CONTROL_BYTES = 8;

export type ThreadReply<Value> =
  | { readonly kind: 'done'; readonly value: Value; readonly heapBytes: number }
  /** The task's own fault: it fails for good, the thread is sound. */
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string; readonly details: ErrorDetails }
  /** Nobody knows: the thread is replaced and the task gets a second attempt. */
  | { readonly kind: 'broken'; readonly threadId: number; readonly outOfMemory: boolean; readonly reason: string };
