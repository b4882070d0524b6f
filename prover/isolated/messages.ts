/** What a prover's process and its owner say to each other, as structured clones. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { ErrorDetails } from '#protocol/errors/stun-error.ts';
import type { InferenceProverOptions } from '../inference-pool.ts';
import type { InferenceTask, ProofStage, ProverStats, SettlementProof, SettlementProofTask } from '../interface.ts';
import type { ProverOptions } from '../pool.ts';

/** Which prover the process is to be; told once, first. */
export type Creation =
  | { readonly kind: 'settlement'; readonly options: Omit<ProverOptions, 'progress'> }
  | { readonly kind: 'inference'; readonly options: InferenceProverOptions };

/** What a prover is asked. */
export type Question =
  | { readonly type: 'prove'; readonly task: SettlementProofTask | InferenceTask }
  | { readonly type: 'verify'; readonly proof: SettlementProof };

/** To the process. */
export type ToProcess =
  | { readonly type: 'create'; readonly creation: Creation }
  | {
      readonly type: 'ask';
      readonly id: number;
      readonly question: Question;
      readonly priority: number;
      /** Whether stages are to be told. */
      readonly staged: boolean;
    }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'close' };

/** An error on its way; its cause stays where it arose. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** From the process. */
export type FromProcess =
  | { readonly type: 'progress'; readonly line: string }
  | { readonly type: 'created'; readonly models: readonly bigint[] }
  | { readonly type: 'refused'; readonly error: SentError }
  | { readonly type: 'stats'; readonly stats: ProverStats }
  | { readonly type: 'stage'; readonly id: number; readonly stage: ProofStage }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: SentError };

/** An error for the way. */
export function sentError({ code, message, details }: StunError): SentError {
  return { code, message, details };
}

/** The error that was sent. */
export function receivedError({ code, message, details }: SentError): StunError {
  return new StunError(code, message, { details });
}
