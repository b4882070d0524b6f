/**
 * A copy of an embedded store that was made and migrated once: making one takes five seconds of a processor, copying one a fraction of one.
 * That a store comes to be from nothing is what test/integration/service/store.test.ts tests.
 */
import { createHash } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#circuits/build/source.ts';
import { openDatabase } from '#service/db/open.ts';
import { createQueue } from '#service/pipeline/queue.ts';
import { keptFolder } from '#test/circuits/kept.ts';
import { migrations } from '#service/db/migrations/index.ts';

/** What decides what is in a new store: the migrations, the queues, and the versions of what makes them. */
function digestOfMakers(): string {
  const sources = ['verifier-service/db/open.ts', 'verifier-service/pipeline/queue.ts', 'package-lock.json'];
  const hash = createHash('sha256').update(JSON.stringify(migrations));
  for (const source of sources) hash.update(readFileSync(join(REPOSITORY_ROOT, source)));
  return hash.digest('hex').slice(0, 32);
}

/**
 * Puts an empty, migrated store where a service would make one.
 * @param directory - must not hold one
 * @returns the `database` setting
 */
export async function copyMigratedStore(directory: string): Promise<string> {
  const kept = await keptFolder(`store-${digestOfMakers()}`, async (scratch) => {
    const database = await openDatabase({ kind: 'pglite', directory: scratch });
    const queue = createQueue(database, false, (error) => {
      throw error;
    });
    await queue.start();
    await queue.stop(0);
    await database.close();
  });
  cpSync(kept, directory, { recursive: true });
  return `pglite:${directory}`;
}
