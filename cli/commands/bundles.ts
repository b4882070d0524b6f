/** `stun bundles`: a provider's settlement bundles from the worker's own file, without worker and service. */
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';

/** Options of `bundles`. */
export interface BundlesOptions {
  readonly store: string;
  readonly out: string;
  readonly workerIsGone?: boolean;
}

/** Writes one file for each closed segment that is not known to be settled. */
export async function bundles({ options }: Invocation<BundlesOptions>): Promise<CommandResult> {
  const { exportBundles } = await import('#worker/export.ts');
  const exported = await exportBundles(options.store, options.out, { closeOpen: options.workerIsGone === true });
  const lines = exported.map(({ path, jobs, total }) => `${path}: ${jobs} jobs, ${total} price units`);
  return {
    document: { bundles: exported.map((bundle) => ({ ...bundle, total: bundle.total.toString() })) },
    text: lines.length === 0 ? 'No closed segment waits for settlement.' : lines.join('\n'),
    exitCode: 0,
  };
}
