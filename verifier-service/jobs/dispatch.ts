/**
 * Finds work that other processes brought: one query for all enclaves that wait in this process, instead of one for each of them. A
 * deployment may have a hundred thousand workers waiting and a few dozen jobs a second.
 */
import type { Services } from '../services.ts';
import { enclaveTopic } from './wake.ts';

/** Wakes the waiting polls of this process for every enclave that has queued jobs. @returns how many enclaves those are */
export async function wakeQueued(services: Services): Promise<number> {
  const enclaves = await services.db.sql
    .selectFrom('job')
    .select('keyset_digest')
    .distinct()
    .where('state', '=', 'queued')
    .execute();
  for (const { keyset_digest: keysetDigest } of enclaves) services.wake.wake(enclaveTopic(keysetDigest));
  return enclaves.length;
}
