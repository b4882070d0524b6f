/** One verified proof from several backends: what one gets wrong, the next makes again. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { BackendName, Groth16Backend, MadeProof } from './backend.ts';

/** What came out, and who did not get there. */
export interface BackendProof<Released> {
  readonly released: Released;
  readonly madeBy: BackendName;
  /** Backends that failed before, in the order they were tried. */
  readonly failed: readonly BackendName[];
}

/** Whether another backend may do better: it gave a proof that does not verify, or broke in a way that no code names. */
function isBackendsFault(error: unknown): boolean {
  return !(error instanceof StunError) || error.code === 'STUN_PROOF_INVALID';
}

/**
 * Makes a proof with the first backend whose proof is released.
 * @param backends - at least one, in the order of trying
 * @param make - asks one backend for a proof
 * @param release - verifies it; throws `STUN_PROOF_INVALID` when it does not
 * @throws what the last backend failed with; at once what is the fault of key, witness, memory or caller
 */
export async function firstReleased<Released>(
  backends: readonly Groth16Backend[],
  make: (backend: Groth16Backend) => Promise<MadeProof>,
  release: (made: MadeProof) => Released,
): Promise<BackendProof<Released>> {
  const failed: BackendName[] = [];
  for (const [i, backend] of backends.entries()) {
    try {
      const released = release(await make(backend));
      return { released, madeBy: backend.name, failed };
    } catch (error) {
      if (i === backends.length - 1 || !isBackendsFault(error)) throw error;
      failed.push(backend.name);
    }
  }
  throw new StunError('STUN_INTERNAL', 'a prover must have a backend');
}
