/**
 * Settlement bundles from the worker's own file, without worker or service: what `stun settle --bundle` takes.
 * Only closed segments are exported. An open one still grows in a living worker, and settling it early would strand what comes
 * after; when the worker is gone for good, `closeOpen` ends it first.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settlementBundleFromWire, StunError, type Hex } from '#protocol/index.ts';
import { claimStore } from './store-file.ts';
import { WorkerStore } from './store.ts';

/** An exported segment. */
export interface ExportedBundle {
  readonly path: string;
  readonly orderKey: Hex;
  readonly laneIndex: number;
  readonly firstK: number;
  readonly jobs: number;
  /** Price units. */
  readonly total: bigint;
}

/**
 * Writes every closed segment that is not known to be settled to a file of its own, after checking that it proves.
 * @param closeOpen - also ends open segments: only when no worker uses the store any more, for its keys then cannot add to them
 *   (refused while one runs here)
 * @throws `STUN_WORKER_STORE`, `STUN_FILE`, and what settlementBundleFromWire refuses
 */
export async function exportBundles(
  storePath: string,
  directory: string,
  options: { readonly closeOpen: boolean },
): Promise<readonly ExportedBundle[]> {
  if (!existsSync(storePath)) throw new StunError('STUN_FILE', `there is no worker's database at ${storePath}`);
  const release = options.closeOpen ? claimStore(storePath) : () => undefined;
  const store = new WorkerStore(storePath);
  try {
    if (options.closeOpen) store.closeAbandoned('');
    const exported: ExportedBundle[] = [];
    for (const segment of store.closedSegments()) {
      const wire = store.bundleOf(segment.id);
      const bundle = settlementBundleFromWire(wire);
      const { orderKey, laneIndex, firstK } = segment;
      const path = join(directory, `segment-${orderKey.slice(2, 14)}-${laneIndex}-${firstK}.json`);
      try {
        await writeFile(path, `${JSON.stringify(wire, null, 2)}\n`, { mode: 0o600 });
      } catch (cause) {
        throw new StunError('STUN_FILE', `the bundle ${path} cannot be written`, { cause });
      }
      exported.push({ path, orderKey, laneIndex, firstK, jobs: bundle.jobs.length, total: bundle.statement.total });
    }
    return exported;
  } finally {
    store.close();
    release();
  }
}
