/**
 * What a bundle itself shows of the court's decision on a batch: that whoever may challenge signed each challenge, that the proof of each answer holds
 * for the challenged pair, what ended the batch, and what follows for bond, refund and slash from the order's terms. That the chain took these
 * transactions, and no others, is not in the bundle.
 */
import { batchIdOf, proofHashOf } from '#chain/court.ts';
import { courtAddressOf, courtCalls } from '#chain/court-calls.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import {
  ASSURANCE,
  orderKeyOf,
  type Hex,
  type OpenedOrder,
  type PublicModel,
  type PublishedPair,
  type SettlementSignals,
} from '#protocol/index.ts';
import { ORDER_FIELDS, type AuditChallenge, type AuditCourt, type AuditSegment, type AuditTransaction } from './bundle.ts';
import { verifyProof } from './groth16.ts';
import { proofToChain } from '#chain/proof-forms.ts';
import { refute, type AuditLedger } from './report.ts';
import { readTransaction, type SignedTransaction } from './transactions.ts';
import type { BatchOutcome, ChallengeOutcome } from './verify-court.ts';

/** A batch that was settled, as its segment shows it. */
export interface SettledBatch {
  readonly order: OpenedOrder;
  readonly provider: Hex;
  readonly publicModel: PublicModel | undefined;
  readonly signals: SettlementSignals;
  /** Of its jobs in lane order. */
  readonly pairs: readonly PublishedPair[];
  readonly ledger: AuditLedger;
}

/** The record and what it speaks of. */
interface CourtRecord extends SettledBatch {
  readonly batchId: Hex;
  /** Path of the record. */
  readonly at: string;
  /** What says which batch, pairs and terms these are. */
  readonly origin: readonly string[];
  /** What only the chain can say of it; added to as it is found. */
  readonly open: string[];
}

/**
 * Checks the court's record of a segment.
 * @param field - path of the segment
 * @param batch - undefined while the segment is not settled
 * @returns what became of the batch by the record; undefined without one, or when a part of it was refuted
 */
export function verifyCourtRecord(
  wire: AuditSegment,
  field: string,
  batch: SettledBatch | undefined,
  ledger: AuditLedger,
): BatchOutcome | undefined {
  const at = `${field}.court`;
  const isDue = batch?.order.terms.assurance === ASSURANCE.challengeable && batch.signals.total > 0n;
  if (wire.court === undefined) {
    if (isDue) ledger.unknown(at, 'the bundle does not hold what the court decided of the batch');
    return undefined;
  }
  if (batch === undefined || !isDue) {
    ledger.check({ id: at, field: at, binds: [at] }, () =>
      refute('only a settled batch of a challengeable order that cost something comes before the court'),
    );
    return undefined;
  }
  const { order, provider, signals } = batch;
  const orderKey = orderKeyOf(order.place.funder, order.orderId);
  const batchId = batchIdOf({ orderKey, provider, laneIndex: wire.laneIndex, laneNew: signals.laneNew });
  const origin = [...ORDER_FIELDS, `${field}.laneIndex`, `${field}.jobs`, `enclaves[${wire.enclave}].keyset`];
  return verifyRecord(wire.court, { ...batch, batchId, at, origin, open: [] });
}

function verifyRecord(court: AuditCourt, record: CourtRecord): BatchOutcome | undefined {
  const { at, origin, open, order, signals, provider, batchId, ledger } = record;
  const most = signals.total * order.terms.priceScale;
  const amount = ledger.check({ id: `${at}.amount`, field: `${at}.amount`, binds: [`${at}.amount`, ...origin] }, () => {
    const claimed = BigInt(court.amount);
    if (claimed === 0n || claimed > most) refute(`the jobs of the batch cost ${most}`);
    return claimed;
  });
  const challenges = court.challenges.map((_, i) => verifyChallenge(court, i, record));
  const isWhole = challenges.every((one) => one !== undefined);
  const endedBy = court.ended && verifyEnd(court, record);
  if (amount === undefined || !isWhole || (court.ended !== undefined && endedBy === undefined)) return undefined;
  open.push('that the court took all of this, and nothing else for this batch');
  if (amount < most) open.push(`that the budget was short of ${most - amount}`);
  ledger.unknown(`${at}.record`, `only the chain can say ${open.join('; ')}`);
  if (court.ended === undefined) ledger.unknown(`${at}.outcome`, 'the batch was not final when the bundle was exported');
  return {
    batchId,
    provider,
    laneNew: signals.laneNew,
    amount,
    state: court.ended?.outcome ?? 'pending',
    ...(endedBy && { endTransactionHash: endedBy.hash }),
    ...(court.ended?.outcome === 'refunded' && { unanswered: court.ended.index }),
    slash: court.ended?.outcome === 'refunded' ? order.terms.slash : 0n,
    challenges,
  };
}

function verifyChallenge(court: AuditCourt, i: number, record: CourtRecord): ChallengeOutcome | undefined {
  const { at, origin, order, pairs, batchId, ledger } = record;
  const { terms, place } = order;
  const where = `${at}.challenges[${i}]`;
  const { index, challenger, transaction, answer } = court.challenges[i]!;
  const pair = ledger.check({ id: `${where}.index`, field: `${where}.index`, binds: [`${at}.challenges`, ...origin] }, () => {
    const challenged = pairs[index];
    if (challenged === undefined || (challenged.inputCommitment | challenged.outputCommitment) === 0n)
      refute(`pair ${index} was not paid, so nobody can challenge it`);
    if (court.challenges.findIndex((one) => one.index === index) !== i) refute(`pair ${index} is challenged twice`);
    return challenged;
  });
  if (pair === undefined) return undefined;
  const who = `${where}.challenger`;
  const allowed = ledger.check({ id: who, field: who, binds: [who, 'order.opening'] }, () => {
    const may = [place.funder, terms.challenger].some((one) => one === challenger && one !== NATIVE_TOKEN);
    if (!may) refute('neither the funder nor whom the terms let challenge');
    return challenger as Hex;
  });
  const signed = verifyCall(`${where}.transaction`, transaction, [`${where}.index`, who], record, {
    data: courtCalls.challenge(batchId, index, pairs),
    value: place.token === NATIVE_TOKEN ? terms.bond : 0n,
    sender: challenger,
  });
  if (allowed === undefined || signed === undefined) return undefined;
  const made = { index, pair, challenger: allowed, transactionHash: signed.hash, bond: terms.bond };
  if (answer === undefined) return { ...made, outcome: court.ended === undefined ? 'open' : 'returned' };
  const answered = verifyAnswer(answer, where, index, pair, record);
  return answered && { ...made, outcome: 'answered', ...answered };
}

/** Verifies the proof of an answer for its pair under the key of the order's model, and that the answer showed this proof. */
function verifyAnswer(
  { inferenceProof, transaction }: NonNullable<AuditChallenge['answer']>,
  where: string,
  index: number,
  pair: PublishedPair,
  record: CourtRecord,
): Pick<ChallengeOutcome, 'answeredBy' | 'answerTransactionHash' | 'answerProofHash'> | undefined {
  const { publicModel, pairs, batchId, origin, ledger } = record;
  const at = `${where}.answer.inferenceProof`;
  const place = { id: at, field: at, binds: [at, `${where}.index`, 'order.publicModel', ...origin] };
  if (inferenceProof === undefined) record.open.push(`that a proof answered for pair ${index}, which the bundle does not hold`);
  const proof =
    inferenceProof &&
    ledger.check(place, () => {
      if (publicModel === undefined) refute('the bundle does not hold the model that the proof is for', 'STUN_PROOF_FAMILY');
      verifyProof(publicModel.verificationKey, inferenceProof, [pair.inputCommitment, pair.outputCommitment]);
      return proofToChain(inferenceProof);
    });
  if (inferenceProof !== undefined && proof === undefined) return undefined;
  const signed = verifyCall(`${where}.answer.transaction`, transaction, [`${where}.index`, at], record, {
    data: proof && courtCalls.answer(batchId, index, pairs, proof),
    value: 0n,
  });
  if (signed === undefined) return undefined;
  return {
    ...(isDirect(signed, record) && { answeredBy: signed.sender }),
    answerTransactionHash: signed.hash,
    ...(proof && isDirect(signed, record) && { answerProofHash: proofHashOf(proof) }),
  };
}

/** What ended the batch must fit its challenges. */
function verifyEnd(court: AuditCourt, record: CourtRecord): SignedTransaction | undefined {
  const { at, batchId, ledger } = record;
  const ended = court.ended!;
  const open = court.challenges.filter(({ answer }) => answer === undefined).map(({ index }) => index);
  const where = `${at}.ended`;
  if (ended.outcome === 'paid') {
    if (open.length > 0)
      record.open.push('that the verifier of inferences was withdrawn, without which challenges end before a batch is paid');
    return verifyCall(`${where}.transaction`, ended.transaction, [where], record, {
      data: courtCalls.finalise(batchId),
      value: 0n,
    });
  }
  const place = { id: `${where}.index`, field: `${where}.index`, binds: [where, `${at}.challenges`] };
  const index = ledger.check(place, () => {
    if (!open.includes(ended.index)) refute(`pair ${ended.index} was answered, or nobody challenged it`);
    return ended.index;
  });
  if (index === undefined) return undefined;
  return verifyCall(`${where}.transaction`, ended.transaction, [where], record, {
    data: courtCalls.refundUnanswered(batchId, index),
    value: 0n,
  });
}

/** What a transaction must say when it goes to the court itself. */
interface ExpectedCall {
  /** Undefined when nothing in the bundle says it. */
  readonly data: Hex | undefined;
  /** Native coin, wei. */
  readonly value: bigint;
  readonly sender?: string;
}

/** Checks a transaction. One to another contract, which calls the court in turn, shows no more than who signed it. */
function verifyCall(
  field: string,
  wire: AuditTransaction,
  binds: readonly string[],
  record: CourtRecord,
  expected: ExpectedCall,
): SignedTransaction | undefined {
  const { order, origin, ledger } = record;
  const signed = ledger.check({ id: field, field, binds: [field, ...binds, ...origin] }, () => {
    const transaction = readTransaction(wire);
    if (transaction.chainId !== order.place.chainId) refute('it is for another chain');
    if (!isDirect(transaction, record)) return transaction;
    if (transaction.data !== expected.data) refute('it asks the court for something else than the record says');
    if (transaction.value !== expected.value) refute(`it sends ${transaction.value}, the terms say ${expected.value}`);
    if (expected.sender !== undefined && transaction.sender !== expected.sender) refute('it is signed by somebody else');
    return transaction;
  });
  if (signed !== undefined && !isDirect(signed, record))
    record.open.push(`what ${field} asked of the court, being sent to another contract`);
  return signed;
}

function isDirect({ to }: SignedTransaction, { order }: CourtRecord): boolean {
  return to === courtAddressOf(order.place.escrow);
}
