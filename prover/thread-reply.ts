/** What a thread answers for one task; errors are data, because an error that crosses a thread boundary loses its code. */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { ErrorDetails } from '#protocol/errors/stun-error.ts';

export type ThreadReply<Value> =
  | { readonly kind: 'done'; readonly value: Value; readonly heapBytes: number }
  /** The task's own fault: it fails for good, the thread is sound. */
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string; readonly details: ErrorDetails }
  /** Nobody knows: the thread is replaced and the task gets a second attempt. */
  | { readonly kind: 'broken'; readonly threadId: number; readonly outOfMemory: boolean; readonly reason: string };
