/** The states of a job and which may follow which. docs/design.md section 7. */
import { z } from 'zod';

export const jobStateSchema = z.enum([
  'queued',
  'leased',
  'running',
  'receipted',
  'batched',
  'proven',
  'settled',
  'void',
  'expired',
  'refunded',
]);
/** State of a job. That the enclave failed or voided a job is its `outcome`: such a job is still batched and settles at price 0. */
export type JobState = z.infer<typeof jobStateSchema>;

/** How the enclave ended a job, from its receipt. */
export const jobOutcomeSchema = z.enum(['served', 'failed', 'void']);
export type JobOutcome = z.infer<typeof jobOutcomeSchema>;

/**
 * What may follow a state. A lease that expires gives a job back to the queue; a re-organisation takes a settlement back; and a receipt
 * that verifies is taken for a job that was given up, since it can settle whatever the service thinks, and its result is paid for. Once the
 * budget is refunded nothing can settle: whatever had not, served or not, is refunded for good.
 */
export const followers: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['leased', 'receipted', 'void', 'expired', 'refunded'],
  leased: ['running', 'receipted', 'queued', 'void', 'refunded'],
  running: ['receipted', 'queued', 'void', 'refunded'],
  receipted: ['batched', 'settled', 'refunded'],
  batched: ['proven', 'settled', 'refunded'],
  proven: ['settled', 'batched', 'refunded'],
  settled: ['proven', 'batched', 'receipted'],
  void: ['receipted'],
  expired: ['receipted', 'refunded'],
  refunded: [],
};

/** States before which nothing is signed by the enclave. */
export const unservedStates = ['queued', 'leased', 'running'] as const satisfies readonly JobState[];
/** States in which a job still binds budget. */
export const bindingStates = [...unservedStates, 'receipted', 'batched', 'proven'] as const satisfies readonly JobState[];

/** States in which a job is over, as far as the service can tell. */
const finalStates: ReadonlySet<JobState> = new Set(['settled', 'void', 'expired', 'refunded']);

/** Whether a job is over. */
export function isFinal(state: JobState): boolean {
  return finalStates.has(state);
}
