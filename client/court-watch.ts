/** One look at the court on behalf of a challengeable order's funder: challenges what is not the model's answer, takes back the money that is due. */
import { asStunError, type ErrorCode, type Hex } from '#protocol/index.ts';
import type { BatchRecorded } from '#chain/court-events.ts';
import type { StunContracts } from '#chain/deployment.ts';
import { block, type BlockLookup } from './chain-time.ts';
import {
  answersOf,
  modelToHold,
  settledBatches,
  type AnswerFinding,
  type AnswerSource,
  type ModelRun,
  type SettledAnswer,
  type SettledBatch,
} from './settled-answers.ts';
import type { OrderRecord } from './store/order-record.ts';

/** What of a connection is used; the account is asked for only when something is sent. */
export interface CourtSide extends AnswerSource {
  readonly contracts: AnswerSource['contracts'] & {
    readonly court: Pick<
      StunContracts['court'],
      'allow' | 'answerableUntilUnix' | 'batch' | 'challenge' | 'challengeOf' | 'refundUnanswered'
    >;
  };
  readonly provider: BlockLookup;
  signer(): { getAddress(): Promise<string> };
}

/** What was done about an answer that is not the model's. */
export interface CourtStep {
  readonly kind: 'challenged' | 'refunded' | 'failed';
  readonly batchId: Hex;
  /** Place of the pair, 0..15. */
  readonly index: number;
  readonly jobId: Hex;
  readonly transactionHash?: Hex;
  readonly gasUsed?: bigint;
  /** Why nothing could be done. */
  readonly code?: ErrorCode;
  readonly reason?: string;
}

/** What one look found. */
export interface CourtLook {
  readonly batches: number;
  /** Batches that can still go either way. */
  readonly pending: number;
  /** Answers by what was found. */
  readonly answers: Readonly<Record<AnswerFinding, number>>;
  readonly steps: readonly CourtStep[];
}

/** How a look is taken. */
export interface LookOptions {
  /** Batches that need no further look; those that ended are added. */
  readonly settled: Set<Hex>;
  /**
   * Whether answers are challenged whose results cannot be opened. The provider may hold a proof of the right answer under another blinding, and
   * then has the bond; unchallenged, it may be paid for a lie.
   */
  readonly challengeWithheld: boolean;
  /** Fetches a result into the store, where it is not there yet. */
  readonly open: (jobId: Hex) => Promise<unknown>;
}

/**
 * Looks at every batch of an order once: challenges each answer that is not the model's and that nobody challenged, and has a batch refunded whose
 * challenge was not answered in time. What fails for one answer leaves the others.
 * @param model - the compiled model of the order, as the customer has it
 * @throws `STUN_ORDER_TERMS`, `STUN_MODEL_MISMATCH`, `STUN_STORE_*`, `STUN_CHAIN_*` when the court cannot be read
 */
export async function lookAfterCourt(
  client: CourtSide,
  order: OrderRecord,
  model: { readonly modelId: bigint; readonly run: ModelRun },
  options: LookOptions,
): Promise<CourtLook> {
  const compiled = modelToHold(order, model.modelId);
  const steps: CourtStep[] = [];
  const answers = { agrees: 0, differs: 0, withheld: 0, unknown: 0 };
  const sums = { batches: 0, pending: 0 };
  const isOpen = ({ batchId }: BatchRecorded): boolean => !options.settled.has(batchId);
  for await (const found of settledBatches(client, order, isOpen)) {
    const { batchId } = found.batch;
    const look = (): Promise<readonly SettledAnswer[]> => answersOf(client, order, found, compiled, model.run);
    let seen = await look();
    const unopened = seen.filter(({ finding }) => finding === 'withheld');
    // What cannot be fetched stays withheld; why does not matter here.
    for (const { jobId } of unopened) if (jobId !== undefined) await options.open(jobId).catch(() => undefined);
    if (unopened.length > 0) seen = await look();
    sums.batches += 1;
    for (const { index, jobId, finding } of seen) {
      answers[finding] += 1;
      if (jobId === undefined || finding === 'agrees') continue;
      const step = await actOn(client, order, found, { index, jobId, finding }, options.challengeWithheld);
      if (step !== undefined) steps.push(step);
    }
    if ((await client.contracts.court.batch(batchId)).state === 'pending') sums.pending += 1;
    else options.settled.add(batchId);
  }
  return { ...sums, answers, steps };
}

/** @returns undefined when there is nothing to do but wait, or nothing any more */
async function actOn(
  client: CourtSide,
  order: OrderRecord,
  { batch: { batchId }, pairs }: SettledBatch,
  { finding, ...place }: { readonly index: number; readonly jobId: Hex; readonly finding: AnswerFinding },
  challengeWithheld: boolean,
): Promise<CourtStep | undefined> {
  const { court } = client.contracts;
  const { index } = place;
  const failed = (code: ErrorCode, reason: string): CourtStep => ({ kind: 'failed', batchId, ...place, code, reason });
  try {
    const { state } = await court.batch(batchId);
    if (state === 'refunded') return undefined;
    const challenge = await court.challengeOf(batchId, index);
    if (challenge.state === 'answered') {
      // A right answer under another blinding is proven for good reason; one that was opened and differs never is.
      if (finding === 'withheld') return undefined;
      return failed(
        'STUN_ANSWER_DISAGREES',
        'the challenge was answered with a proof, though the model here gives another answer',
      );
    }
    if (state === 'paid') return failed('STUN_CHALLENGE_WINDOW', 'the provider was paid before anybody challenged');
    if (challenge.state === 'none') {
      if (finding === 'withheld' && !challengeWithheld)
        return failed('STUN_ANSWER_WITHHELD', 'the result cannot be opened: a lie, or a right answer under another blinding');
      const bond = { token: order.place.token, amount: order.terms.bond };
      await court.allow(bond.token, await client.signer().getAddress(), bond.amount);
      const { transactionHash, gasUsed } = await court.challenge(batchId, index, pairs, bond);
      return { kind: 'challenged', batchId, ...place, transactionHash, gasUsed };
    }
    const now = await block(client.provider, 'latest');
    if (now === undefined || now.timestampUnix <= (await court.answerableUntilUnix(batchId, index))) return undefined;
    const { transactionHash, gasUsed } = await court.refundUnanswered(batchId, index);
    return { kind: 'refunded', batchId, ...place, transactionHash, gasUsed };
  } catch (thrown) {
    const { code, message } = asStunError(thrown);
    return failed(code, message);
  }
}
