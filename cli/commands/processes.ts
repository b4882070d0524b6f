/** `stun service|prover|attestor|worker`: the long-running processes. They are configured by files and STUN_… variables of their own. */
import type { InferenceProver, SettlementProver } from '#prover/interface.ts';
import type { Role, Settings } from '#service/config.ts';
import type { WorkerConfig } from '#worker/config.ts';
import { StunError } from '#protocol/index.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { parseDuration, parseWhole } from '../values.ts';
import type { CeremonyOptions } from './proving-keys.ts';

/** Options of the processes that prove. */
export interface ProvingOptions extends CeremonyOptions {
  readonly circuit?: readonly string[];
  readonly proofTimeout?: string;
  readonly memoryMb?: string;
}

/** Proofs that may wait in memory; what waits longer stays in the durable queue. */
const QUEUE_LIMIT = 16;

/** The limits of proving that the options name. @throws `STUN_INPUT` */
function limitsOf({ proofTimeout, memoryMb }: ProvingOptions): { taskTimeoutMs: number; memoryLimitMb: number | undefined } {
  return {
    taskTimeoutMs: 1000 * parseDuration(proofTimeout ?? '10m', '--proof-timeout'),
    memoryLimitMb: memoryMb === undefined ? undefined : parseWhole(memoryMb, '--memory-mb', 128, 1_048_576),
  };
}

async function createProver(
  options: ProvingOptions,
  limits: ReturnType<typeof limitsOf>,
  settings: Settings,
  progress: (line: string) => void,
): Promise<SettlementProver> {
  const { loadDeployment } = await import('#service/composition/chain-view.ts');
  const [{ provingKeys }, { DEFAULT_CIRCUITS }] = await Promise.all([
    import('./proving-keys.ts'),
    import('#circuits/manifest.ts'),
  ]);
  const development = options.circuit ?? (options.ceremony === undefined ? DEFAULT_CIRCUITS : []);
  const keys = await provingKeys(loadDeployment(settings.deployment).chainId, development, options);
  const [{ isolatedSettlementProver }, { backendWishOf }, { defaultMemoryMb }] = await Promise.all([
    import('#prover/isolated/isolated-prover.ts'),
    import('#prover/backends.ts'),
    import('#prover/interface.ts'),
  ]);
  return isolatedSettlementProver({
    threads: settings.proofConcurrency,
    ...keys,
    queueLimit: QUEUE_LIMIT,
    taskTimeoutMs: limits.taskTimeoutMs,
    memoryLimitMb: limits.memoryLimitMb ?? defaultMemoryMb(settings.proofConcurrency),
    backend: backendWishOf(process.env),
    progress,
  });
}

/** Runs a service process until it is told to stop. Without a role, the one of its settings. */
export function serviceProcess(role?: Role) {
  return async ({ options, context }: Invocation<ProvingOptions>): Promise<CommandResult> => {
    const limits = limitsOf(options);
    const { runService } = await import('#service/main.ts');
    await runService({
      env: process.env,
      signal: context.signal,
      ...(role && { role }),
      createProver: (settings) => createProver(options, limits, settings, context.progress),
    });
    return stopped(role ?? 'service');
  };
}

/** Runs a worker until it is told to stop; the running jobs finish and segments are handed over. */
export async function workerProcess({ context }: Invocation<object>): Promise<CommandResult> {
  const [{ loadWorkerConfig }, { runWorker }, { openGpuCollateral }] = await Promise.all([
    import('#worker/config.ts'),
    import('#worker/main.ts'),
    import('./worker-gpu-collateral.ts'),
  ]);
  if (context.signal.aborted) throw new StunError('STUN_INPUT', 'the worker was stopped before it started');
  await runWorker(loadWorkerConfig(process.env), {
    signal: context.signal,
    createInferenceProver: inferenceProver,
    openGpuCollateral,
  });
  return stopped('worker');
}

/** The prover of a worker's compiled models, in a process of its own. */
export async function inferenceProver(
  directories: readonly string[],
  { threads, backlog, timeoutMs, memoryMb }: WorkerConfig['proving'],
): Promise<InferenceProver> {
  const [{ isolatedInferenceProver }, { backendWishOf }] = await Promise.all([
    import('#prover/isolated/isolated-prover.ts'),
    import('#prover/backends.ts'),
  ]);
  return isolatedInferenceProver({
    directories,
    threads,
    queueLimit: backlog,
    taskTimeoutMs: timeoutMs,
    memoryLimitMb: memoryMb,
    backend: backendWishOf(process.env),
  });
}

function stopped(what: string): CommandResult {
  return { document: { stopped: what }, text: `The ${what} has stopped.`, exitCode: 0 };
}
