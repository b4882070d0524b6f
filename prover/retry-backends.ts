/** One verified proof from several backends: what one gets wrong, the next makes again, when there is memory for it. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { BackendName, Groth16Backend, MadeProof } from './backend.ts';
import { collectGarbage } from './collect-garbage.ts';

/** What came out, and who did not get there. */
export interface BackendProof<Released> {
  readonly released: Released;
  readonly madeBy: BackendName;
  /** Backends that failed before, in the order they were tried. */
  readonly failed: readonly BackendName[];
}

/** A backend did not get there, and another one stands behind it: the task is to be given again, with the next place. */
export class BackendFailed extends Error {
  override readonly name = 'BackendFailed';
}

/** Whether another backend may do better: it gave a proof that does not verify, or broke in a way that no code names. */
function isBackendsFault(error: unknown): boolean {
  return !(error instanceof StunError) || error.code === 'STUN_PROOF_INVALID';
}

/**
 * Makes a proof with one backend and releases it. What it took of memory goes back before the answer.
 * @param backends - at least one, in the order of trying
 * @param place - of the backend among them, 0 for the first attempt
 * @param make - asks the backend for a proof
 * @param release - verifies it; throws `STUN_PROOF_INVALID` when it does not
 * @throws `BackendFailed` when the fault is the backend's and another one is left; else what it failed with
 */
export async function releasedBy<Released>(
  backends: readonly Groth16Backend[],
  place: number,
  make: (backend: Groth16Backend) => Promise<MadeProof>,
  release: (made: MadeProof) => Released,
): Promise<BackendProof<Released>> {
  const backend = backends[place];
  if (backend === undefined)
    throw new StunError('STUN_INTERNAL', `a prover of ${backends.length} backends was asked for another`);
  try {
    const released = release(await make(backend));
    return { released, madeBy: backend.name, failed: backends.slice(0, place).map(({ name }) => name) };
  } catch (error) {
    if (place === backends.length - 1 || !isBackendsFault(error)) throw error;
    throw new BackendFailed(`${backend.name} failed`, { cause: error });
  } finally {
    if (backend.leavesGarbage) collectGarbage();
  }
}
