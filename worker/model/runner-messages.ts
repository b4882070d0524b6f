/** What a model runner and its process say to each other. Both ends are ours; the channel never leaves the machine. */
import type { ErrorCode, Hex, NamedTensor } from '#protocol/index.ts';
import type { TensorSpec } from './manifest.ts';

/** The only execution providers that the worker offers; each is a name of onnxruntime. */
export const EXECUTION_PROVIDERS = ['cpu', 'cuda'] as const;
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** How a model shall be run. */
export interface SessionSettings {
  readonly executionProvider: ExecutionProvider;
  /** Whether the CPU may stand in when the provider cannot be used. */
  readonly fallbackToCpu: boolean;
  /** Threads inside one operator; 0 lets onnxruntime choose. */
  readonly threads: number;
}

/** To the process. */
export type RunnerRequest =
  | { readonly type: 'load'; readonly modelPath: string; readonly settings: SessionSettings }
  | { readonly type: 'run'; readonly tensors: readonly NamedTensor[] };

/** What was loaded, as the process saw it. */
export interface LoadedSession {
  /** Of the very bytes that the session was made from. */
  readonly modelSha256: Hex;
  /** The provider that runs the model. */
  readonly executionProvider: ExecutionProvider;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** From the process. A failure carries a code and no message of onnxruntime after inputs were seen: it may quote them. */
export type RunnerReply =
  | { readonly type: 'loaded'; readonly session: LoadedSession }
  | { readonly type: 'result'; readonly tensors: readonly NamedTensor[] }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly reason: string };
