/** What became of the batches of a `challengeable` order: every challenge, bond, answer, refund and slash that the chain shows, and their sums. */
import { batchIdOf, proofHashOf, type CourtBatch, type CourtContract } from '#chain/court.ts';
import type { BatchRecorded } from '#chain/court-events.ts';
import type { Released, Settled } from '#chain/escrow-events.ts';
import { feeOf, type Hex, type PublishedPair, type Terms } from '#protocol/index.ts';
import { compareWithChain, type CarriedBatch } from './compare-court.ts';
import { refute, type AuditLedger } from './report.ts';

/** One challenge. */
export interface ChallengeOutcome {
  /** Place of the pair in the batch, 0..15. */
  readonly index: number;
  readonly pair: PublishedPair;
  readonly challenger: Hex;
  readonly transactionHash: Hex;
  /** Token units: the provider's when answered, else the challenger's again. */
  readonly bond: bigint;
  readonly outcome: 'open' | 'answered' | 'returned';
  /** Absent where only the chain can say it: the answer of a bundle that came through another contract. */
  readonly answeredBy?: Hex;
  readonly answerTransactionHash?: Hex;
  /** keccak256 of the answer's inference proof; absent where the answer's call does not show it. */
  readonly answerProofHash?: Hex;
}

/** One batch. */
export interface BatchOutcome {
  readonly batchId: Hex;
  readonly provider: Hex;
  readonly laneNew: bigint;
  /** Token units, fee included. */
  readonly amount: bigint;
  readonly state: CourtBatch['state'];
  /** What ended the batch. */
  readonly endTransactionHash?: Hex;
  /** Of a refunded batch: the pair whose challenge nobody answered in time. */
  readonly unanswered?: number;
  /** What the provider lost, token units: half to the challenger, half to the funder. */
  readonly slash: bigint;
  readonly challenges: readonly ChallengeOutcome[];
}

/** The order and what the escrow says of it. */
export interface CourtAudit {
  readonly ledger: AuditLedger;
  readonly court: CourtContract;
  readonly orderKey: Hex;
  readonly funder: string;
  readonly terms: Terms;
  readonly settlements: readonly Settled[];
  readonly releases: readonly Released[];
  /** What the bundle itself says of batches. */
  readonly carried: readonly CarriedBatch[];
  /** Block before which nothing of the order can stand. */
  readonly fromBlock: number;
}

const DISAGREES = 'STUN_CHAIN_DISAGREES';

/**
 * Checks the court's record of an order: one batch for each settlement that paid, challenges by who may and with the bond of the terms, each answered or
 * returned, one outcome for each batch with the money that goes with it, and that nothing is left over; then that the bundle says the same. A batch that is
 * not final stays `unknown`.
 * Does not verify the answers' proofs again: the court did, and the bundle holds those of its own jobs.
 * @returns what became of each batch; empty when the record could not be read
 */
export async function auditCourt(view: CourtAudit): Promise<readonly BatchOutcome[]> {
  const { ledger, court, fromBlock, orderKey, settlements } = view;
  const recorded = await ledger.checkAsync({ id: 'chain.court.batches', field: 'segments', binds: [] }, async () => {
    const events = await court.batchesRecorded(fromBlock, { orderKey });
    const paying = settlements.filter(({ credited, fee }) => credited + fee > 0n);
    if (events.length !== paying.length)
      refute(`${paying.length} settlements paid, ${events.length} batches are recorded`, DISAGREES);
    for (const { provider, laneIndex, laneNew, credited, fee } of paying) {
      const batch = events.find(({ batchId }) => batchId === batchIdOf({ orderKey, provider, laneIndex, laneNew }));
      if (batch?.amount !== credited + fee) refute('a settlement has no batch of its amount', DISAGREES);
    }
    return events;
  });
  if (recorded === undefined) return [];
  const outcomes: BatchOutcome[] = [];
  for (const [i, batch] of recorded.entries()) {
    const place = { id: `chain.court[${i}]`, field: 'segments', binds: [] };
    const found = await ledger.checkAsync(place, () => checkBatch(view, batch));
    if (found === undefined) continue;
    outcomes.push(found);
    if (found.state === 'pending')
      ledger.unknown(`${place.id}.outcome`, 'the batch is not final: it can be challenged, answered or refunded');
    for (const carried of view.carried) {
      if (carried.outcome.batchId === found.batchId) compareWithChain(carried, found, ledger);
    }
  }
  for (const { field, outcome } of view.carried) {
    if (recorded.some(({ batchId }) => batchId === outcome.batchId)) continue;
    const place = { id: `${field}.record`, field, binds: [field] };
    ledger.check(place, () => refute('the court never had this batch', DISAGREES));
  }
  ledger.check({ id: 'chain.court.money', field: 'segments', binds: [] }, () => {
    const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
    const pending = outcomes.filter(({ state }) => state === 'pending').map(({ amount }) => amount);
    if (sum(recorded.map(({ amount }) => amount)) !== sum(view.releases.map(({ amount }) => amount)) + sum(pending))
      refute('what was settled is not what was released and what is pending', DISAGREES);
  });
  return outcomes;
}

async function checkBatch(view: CourtAudit, recorded: BatchRecorded): Promise<BatchOutcome> {
  const { court, fromBlock, terms } = view;
  const { batchId, provider, laneNew, amount } = recorded;
  const batch = await court.batch(batchId);
  if (batch.amount !== amount || batch.provider !== provider) refute('the batch is not the one that was recorded', DISAGREES);
  const challenges = await challengesOf(view, recorded);
  const open = challenges.filter(({ outcome }) => outcome === 'open').length;
  if (open !== batch.openChallenges) refute(`${open} challenges are open, the court counts ${batch.openChallenges}`, DISAGREES);
  const [paid, refunds, slashes] = await Promise.all([
    court.batchesPaid(fromBlock, batchId),
    court.batchesRefunded(fromBlock, batchId),
    court.slashes(fromBlock, batchId),
  ]);
  const wanted = { paid: [1, 0], refunded: [0, 1], pending: [0, 0], none: [0, 0] }[batch.state];
  if (paid.length !== wanted[0] || refunds.length !== wanted[1])
    refute(`the batch is ${batch.state}, its events say otherwise`, DISAGREES);
  const ended = paid[0] ?? refunds[0];
  if (ended !== undefined) checkRelease(view, recorded, ended.place, paid.length === 1);
  const slash = slashes.reduce((sum, one) => sum + one.amount, 0n);
  const [refunded] = refunds;
  if (slash !== (refunded === undefined ? 0n : terms.slash) || (refunded?.slash ?? 0n) !== slash)
    refute('the slash is not that of the terms', DISAGREES);
  if (refunded !== undefined && challenges.find(({ index }) => index === refunded.index)?.outcome !== 'returned')
    refute('the batch was refunded for a challenge that was answered, or never made', DISAGREES);
  return {
    batchId,
    provider,
    laneNew,
    amount,
    state: batch.state,
    ...(ended && { endTransactionHash: ended.place.transactionHash }),
    ...(refunded && { unanswered: refunded.index }),
    slash,
    challenges,
  };
}

/** The release in the transaction that ended a batch, the first after the court's own event. */
function checkRelease(
  { terms, releases }: CourtAudit,
  { provider, amount }: BatchRecorded,
  place: Released['place'],
  toProvider: boolean,
): void {
  const release = releases.find(
    (one) => one.place.transactionHash === place.transactionHash && one.place.logIndex > place.logIndex,
  );
  const fee = toProvider ? feeOf(amount, terms.feeBps) : 0n;
  const agrees =
    release?.provider === provider && release.amount === amount && release.fee === fee && release.toProvider === toProvider;
  if (!agrees) refute('the escrow released something else than the court decided', DISAGREES);
}

async function challengesOf(view: CourtAudit, { batchId, laneNew }: BatchRecorded): Promise<readonly ChallengeOutcome[]> {
  const { court, fromBlock, terms, funder, orderKey } = view;
  const [made, answers, returned] = await Promise.all([
    court.challenges(fromBlock, batchId),
    court.answers(fromBlock, batchId),
    court.bondsReturned(fromBlock, batchId),
  ]);
  if (made.length === 0 && answers.length + returned.length > 0) refute('an answer or a bond without a challenge', DISAGREES);
  if (made.length === 0) return [];
  const [published] = await court.pairsPublished(fromBlock, { orderKey, laneNew });
  let settled = 0;
  const outcomes: ChallengeOutcome[] = [];
  for (const { index, challenger, bond, place } of made) {
    const pair = published?.pairs[index];
    if (pair === undefined || (pair.inputCommitment | pair.outputCommitment) === 0n)
      refute(`pair ${index} was challenged but not paid`, DISAGREES);
    if (bond !== terms.bond) refute(`the bond of pair ${index} is not that of the terms`, DISAGREES);
    if (challenger !== funder && challenger !== terms.challenger)
      refute(`pair ${index} was challenged by somebody who may not`, DISAGREES);
    const answer = answers.find((one) => one.index === index);
    const back = returned.find((one) => one.index === index);
    if (answer !== undefined && back !== undefined) refute(`the bond of pair ${index} went to both sides`, DISAGREES);
    if (back !== undefined && back.challenger !== challenger) refute(`the bond of pair ${index} went to another`, DISAGREES);
    if (answer !== undefined || back !== undefined) settled += 1;
    const proof = answer && (await court.answerProof(answer));
    outcomes.push({
      index,
      pair,
      challenger,
      transactionHash: place.transactionHash,
      bond,
      outcome: answer !== undefined ? 'answered' : back !== undefined ? 'returned' : 'open',
      ...(answer && { answeredBy: answer.by, answerTransactionHash: answer.place.transactionHash }),
      ...(proof && { answerProofHash: proofHashOf(proof) }),
    });
  }
  if (settled !== answers.length + returned.length) refute('an answer or a bond without a challenge, or twice', DISAGREES);
  return outcomes;
}
