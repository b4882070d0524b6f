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

/** What may follow a state. A lease that expires gives a job back to the queue; a re-organisation takes a settlement back. */
export const followers: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['leased', 'receipted', 'void', 'expired'],
  leased: ['running', 'receipted', 'queued', 'void', 'expired'],
  running: ['receipted', 'queued', 'void', 'expired'],
  receipted: ['batched', 'settled', 'refunded'],
  batched: ['proven', 'settled', 'refunded'],
  proven: ['settled', 'batched', 'refunded'],
  settled: ['proven', 'batched', 'receipted'],
  void: [],
  expired: [],
  refunded: [],
};

/** States before which nothing is signed by the enclave. */
export const unservedStates = ['queued', 'leased', 'running'] as const satisfies readonly JobState[];
/** States in which a job still binds budget. */
export const bindingStates = [...unservedStates, 'receipted', 'batched', 'proven'] as const satisfies readonly JobState[];

/** Whether a job can still change. */
export function isFinal(state: JobState): boolean {
  return followers[state].length === 0 || state === 'settled';
}
