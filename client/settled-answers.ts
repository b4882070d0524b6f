/**
 * Own jobs in the batches of a challengeable order, held to the model. The client chose the blinding of every output, so it knows the
 * commitment that an honest answer settles under: chain and own store are enough to see that an answer is right. That it is wrong
 * takes the opened result as well: a broken enclave can commit to the right answer under another blinding, and a challenge of that one
 * would be answered with a proof and cost the bond.
 */
import {
  ASSURANCE,
  commitIntegers,
  fieldToHex,
  outputBlindingOf,
  StunError,
  tensorIntegers,
  type CompiledModel,
  type Hex,
  type PublishedPair,
} from '#protocol/index.ts';
import type { BatchRecorded } from '#chain/court-events.ts';
import { PUBLISHED_PAIRS } from '#chain/escrow.ts';
import type { StunContracts } from '#chain/deployment.ts';
import type { ClientStore } from './store/store.ts';
import type { OrderRecord } from './store/order-record.ts';
import type { StoredJob } from './store/stored-job.ts';

/** The integer program of a compiled model, run plainly by the customer. */
export type ModelRun = (input: readonly number[]) => readonly number[];

/** What of a connection is read. */
export interface AnswerSource {
  readonly store: Pick<ClientStore, 'lanes'>;
  readonly contracts: {
    readonly deployment: Pick<StunContracts['deployment'], 'deployBlock'>;
    readonly court: Pick<StunContracts['court'], 'batchesRecorded' | 'pairsPublished'>;
  };
}

/** A batch with what its settlement published: a pair for each place, zeros where nothing was paid. */
export interface SettledBatch {
  readonly batch: BatchRecorded;
  readonly pairs: readonly PublishedPair[];
}

/** One settled answer. */
export interface SettledAnswer {
  /** Place of the pair in its batch, 0..15. */
  readonly index: number;
  /** The own job; undefined where this store does not hold it. */
  readonly jobId: Hex | undefined;
  readonly finding: AnswerFinding;
}

/**
 * `agrees`: what was settled is the model's answer to the own input. `differs`: the result is in the store, and no proof can exist for it.
 * `withheld`: not the answer under the client's blinding, and no opened result says what it is. `unknown`: of a job that this store does not hold.
 */
export type AnswerFinding = 'agrees' | 'differs' | 'withheld' | 'unknown';

/**
 * The batches of an order that settled into the court, oldest first.
 * @param wanted - whose pairs are looked up; all others are left out
 */
export async function* settledBatches(
  { contracts: { court, deployment } }: AnswerSource,
  { orderKey }: Pick<OrderRecord, 'orderKey'>,
  wanted: (batch: BatchRecorded) => boolean = () => true,
): AsyncGenerator<SettledBatch> {
  for (const batch of (await court.batchesRecorded(deployment.deployBlock, { orderKey })).filter(wanted)) {
    const [published] = await court.pairsPublished(batch.place.blockNumber, { orderKey, laneNew: batch.laneNew });
    yield { batch, pairs: published?.pairs ?? [] };
  }
}

/**
 * Refuses a model or an order whose answers cannot be held to each other.
 * @returns the model of the order
 * @throws `STUN_ORDER_TERMS` for an order without a court, `STUN_MODEL_MISMATCH` for a model that is not the order's
 */
export function modelToHold(order: Pick<OrderRecord, 'terms' | 'publicModel'>, modelId: bigint): CompiledModel {
  const model = order.publicModel?.model;
  if (order.terms.assurance !== ASSURANCE.challengeable || model === undefined)
    throw new StunError('STUN_ORDER_TERMS', 'only answers of challengeable orders can be challenged');
  if (model.modelId !== modelId)
    throw new StunError('STUN_MODEL_MISMATCH', 'the folder holds another compiled model than the order names');
  return model;
}

/**
 * Holds the answers of a batch to the model.
 * @param model - of the order, see {@link modelToHold}
 * @param run - the same model's program
 * @throws `STUN_STORE_DAMAGED`, `STUN_LANE_FORK`
 */
export async function answersOf(
  source: Pick<AnswerSource, 'store'>,
  order: Pick<OrderRecord, 'orderKey' | 'outputSeed'>,
  { batch, pairs }: SettledBatch,
  model: CompiledModel,
  run: ModelRun,
): Promise<readonly SettledAnswer[]> {
  const jobs = await jobsBefore(source, batch);
  return pairs.flatMap(({ inputCommitment, outputCommitment }, index): SettledAnswer[] => {
    if (inputCommitment === 0n) return [];
    const found = jobs.find(({ job }) => job.header.inputCommitment === inputCommitment);
    if (found === undefined) return [{ index, jobId: undefined, finding: 'unknown' }];
    const { job, opened } = found;
    const expected = run(tensorIntegers(model.input, job.payload));
    const honest = commitIntegers(model.output, expected, outputBlindingOf(order.outputSeed, job.head));
    if (honest === outputCommitment) return [{ index, jobId: job.jobId, finding: 'agrees' }];
    return [{ index, jobId: job.jobId, finding: opened === outputCommitment ? 'differs' : 'withheld' }];
  });
}

/** A stored job, and the commitment of its result where that was opened and checked. */
interface KnownJob {
  readonly job: StoredJob;
  readonly opened: bigint | undefined;
}

/** The stored jobs that a batch can hold: those up to its last head, as many as a batch has at most. */
async function jobsBefore({ store }: Pick<AnswerSource, 'store'>, batch: BatchRecorded): Promise<readonly KnownJob[]> {
  const lanes = await store.lanes.ofOrder(batch.orderKey);
  const lane = lanes.find(({ record }) => record.provider === batch.provider && record.laneIndex === batch.laneIndex);
  if (lane === undefined) return [];
  const places = await lane.files.jobs();
  const last = places.findIndex(({ jobId }) => jobId === fieldToHex(batch.laneNew));
  const jobs: KnownJob[] = [];
  for (const place of places.slice(Math.max(0, last + 1 - PUBLISHED_PAIRS), last + 1)) {
    const outcome = await lane.files.outcome(place.jobId);
    const opened = outcome?.kind === 'receipted' ? outcome.record.receipt.outputCommitment : undefined;
    jobs.push({ job: await lane.files.job(place), opened });
  }
  return jobs;
}
