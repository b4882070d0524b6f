/** What the enclave holds while it serves: keys, models, lanes and openings, all in memory. */
import type { EnclaveLeaf, OpenedOrder } from '#protocol/index.ts';
import type { ChainView } from './chain-view.ts';
import type { InferenceProofs } from './inference-proofs.ts';
import type { EnclaveKeys } from './keys.ts';
import type { Lane } from './lane.ts';
import type { ModelRunner } from './model/runner.ts';
import type { WorkerStore } from './store.ts';

/** A model on offer. */
export interface Offer {
  readonly runner: Pick<ModelRunner, 'run' | 'file'>;
  /** Price units a job. */
  readonly price: bigint;
}

/** The state of one keyset. */
export interface Enclave {
  readonly chainId: bigint;
  readonly escrow: string;
  readonly keys: EnclaveKeys;
  /** The leaf that was registered. */
  readonly leaf: EnclaveLeaf;
  readonly offers: ReadonlyMap<bigint, Offer>;
  readonly store: WorkerStore;
  readonly chain: ChainView;
  /** Open lanes by laneKeyOf. */
  readonly lanes: Map<string, Lane>;
  /** Opened orders by order key. */
  readonly openings: Map<string, OpenedOrder>;
  /** Maximum prices of jobs that are running now, by order key. */
  readonly running: Map<string, bigint>;
  /** Makes the proofs of orders above the level `attested`; without it such orders are declined. */
  readonly proofs?: InferenceProofs;
  /** Makes the enclave lie about outputs, to show what becomes of a liar. No setting reaches it: only cli/stack/lying-worker.ts and tests give it. */
  readonly alterOutput?: (payload: Uint8Array) => Uint8Array;
  readonly nowUnix: () => number;
}
