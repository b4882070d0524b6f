/** Proves one bundle in this process, with no service and no queue: what a provider does with its own files. */
import type { ProveOptions, SettlementProof, SettlementProofTask } from './interface.ts';
import { createSettlementProver, type ProverOptions } from './pool.ts';

/**
 * Loads the circuit, proves, verifies and ends the thread.
 * @param task - bundle, enclave path and time
 * @param options - as for a pool; `circuits` names the one whose family the order has
 * @throws as `createSettlementProver` and `SettlementProver.prove`
 */
export async function proveBundle(
  task: SettlementProofTask,
  options: Pick<ProverOptions, 'circuits' | 'ceremonies' | 'taskTimeoutMs' | 'memoryLimitMb' | 'backend' | 'progress'> &
    Pick<ProveOptions, 'signal'>,
): Promise<SettlementProof> {
  const { signal, ...prover } = options;
  const pool = await createSettlementProver({ ...prover, threads: 1, queueLimit: 1 });
  try {
    return await pool.prove(task, signal === undefined ? {} : { signal });
  } finally {
    await pool.close();
  }
}
