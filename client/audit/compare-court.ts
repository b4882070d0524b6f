/** Holding what a bundle says of a challengeable batch against what the chain says, place by place. */
import { refute, type AuditLedger } from './report.ts';
import type { BatchOutcome, ChallengeOutcome } from './verify-court.ts';

/** A batch as the bundle shows it. */
export interface CarriedBatch {
  /** Where in the bundle its record stands. */
  readonly field: string;
  readonly outcome: BatchOutcome;
}

/** A place of the record, and whether the chain says something else there. */
type Comparison = readonly [field: string, differs: boolean];

/**
 * Checks that the chain says of a batch what the bundle says. A record of a pending batch may be older than the chain: what it holds must be there, and
 * that there is more is said as `unknown`. A record of a batch that has ended is complete.
 */
export function compareWithChain({ field, outcome: carried }: CarriedBatch, chain: BatchOutcome, ledger: AuditLedger): void {
  const id = `${field}.record`;
  const wasPending = carried.state === 'pending';
  const comparisons: readonly Comparison[] = [
    [`${field}.amount`, carried.amount !== chain.amount],
    ...carried.challenges.flatMap((one, i) => compareChallenge(`${field}.challenges[${i}]`, one, chain.challenges, wasPending)),
    ...(wasPending
      ? []
      : ([
          [`${field}.challenges`, carried.challenges.length !== chain.challenges.length],
          [`${field}.ended.outcome`, carried.state !== chain.state],
          [`${field}.ended.index`, carried.unanswered !== chain.unanswered],
          [`${field}.ended.transaction`, carried.endTransactionHash !== chain.endTransactionHash],
        ] as const)),
  ];
  const wrong = comparisons.find(([, differs]) => differs)?.[0];
  const answered = ({ challenges }: BatchOutcome): number => challenges.filter(({ outcome }) => outcome === 'answered').length;
  const wentOn =
    chain.state !== carried.state ||
    chain.challenges.length !== carried.challenges.length ||
    answered(chain) !== answered(carried);
  if (wrong === undefined && wentOn) {
    ledger.unknown(id, 'the court has gone on since the bundle was exported: export it again');
    return;
  }
  ledger.check({ id, field: wrong ?? field, binds: [field] }, () => {
    if (wrong !== undefined) refute('the chain says something else here', 'STUN_CHAIN_DISAGREES');
    return chain;
  });
}

/** @param wasPending - whether an answer can have come after the record */
function compareChallenge(
  field: string,
  carried: ChallengeOutcome,
  challenges: readonly ChallengeOutcome[],
  wasPending: boolean,
): readonly Comparison[] {
  const chain = challenges.find(({ index }) => index === carried.index);
  if (chain === undefined) return [[`${field}.index`, true]];
  const { pair, challenger, transactionHash, answerTransactionHash, answerProofHash } = carried;
  const samePair = pair.inputCommitment === chain.pair.inputCommitment && pair.outputCommitment === chain.pair.outputCommitment;
  const isAnswered = answerTransactionHash !== undefined;
  return [
    [`${field}.index`, !samePair],
    [`${field}.challenger`, challenger !== chain.challenger],
    [`${field}.transaction`, transactionHash !== chain.transactionHash],
    [`${field}.answer`, isAnswered ? chain.outcome !== 'answered' : chain.outcome === 'answered' && !wasPending],
    [`${field}.answer.transaction`, isAnswered && answerTransactionHash !== chain.answerTransactionHash],
    // Whoever answered through another contract showed the chain a proof that nobody reads in the call.
    [`${field}.answer.inferenceProof`, isAnswered && answerProofHash !== chain.answerProofHash],
  ];
}
