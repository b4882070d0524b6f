/**
 * The entry of a service process: settings from the environment, one role, graceful stop when it is told to. Run by `stun service`,
 * `stun prover` and `stun attestor`, which hand in the prover; importing this file does nothing.
 */
import type { SettlementProver } from '#prover/interface.ts';
import { readSettings, type Role, type Settings } from './config.ts';
import { startService, type RunningService } from './service.ts';

/** What the command line gives. */
export interface ServiceMainOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Overrides the role of the settings. */
  readonly role?: Role;
  readonly createProver?: (settings: Settings) => Promise<SettlementProver>;
}

/** Starts the service of the environment. @throws as startService and readSettings */
export async function openService(options: ServiceMainOptions): Promise<RunningService> {
  const read = readSettings(options.env);
  const settings: Settings = options.role === undefined ? read : { ...read, role: options.role };
  const { createProver } = options;
  const proves = settings.role !== 'attestor' && settings.role !== 'settler';
  return startService({
    settings,
    createProver: createProver === undefined || !proves ? undefined : () => createProver(settings),
  });
}

/**
 * Runs until the signal, or until it cannot do its work any more, then stops gracefully.
 * @throws as openService; `STUN_SENDER_CLAIM_LOST` after stopping, so that the process ends with its exit code and is started again
 */
export async function runService(options: ServiceMainOptions & { readonly signal: AbortSignal }): Promise<void> {
  await serveUntilEnd(await openService(options), options.signal);
}

/** Serves until the signal or a failure, then stops. @throws what the service failed with, once it has stopped */
export async function serveUntilEnd(service: Pick<RunningService, 'failed' | 'stop'>, signal: AbortSignal): Promise<void> {
  const told = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const failure = await Promise.race([told, service.failed]);
  await service.stop();
  if (failure !== undefined) throw failure;
}
