/** What a bundle carries of the court: for each batch the transactions that decided it, and the proofs that answered. */
import { batchIdOf } from '#chain/court.ts';
import type { ChallengeAnswered, Challenged } from '#chain/court-events.ts';
import type { Settled } from '#chain/escrow-events.ts';
import type { ClientConnection } from '../connection.ts';
import type { AuditChallenge, AuditCourt } from './bundle.ts';
import { proofFromChain } from '#chain/proof-forms.ts';
import { fetchTransaction } from './transactions.ts';

/**
 * The court's record of a settled batch of a challengeable order, as of now.
 * @returns undefined for a batch that paid nothing, of which the court knows nothing
 * @throws `STUN_CHAIN_*`
 */
export async function courtRecordOf(client: ClientConnection, settled: Settled): Promise<AuditCourt | undefined> {
  const amount = settled.credited + settled.fee;
  if (amount === 0n) return undefined;
  const { court } = client.contracts;
  const batchId = batchIdOf(settled);
  const { blockNumber } = settled.place;
  // The end is asked for first: nothing happens after it, so what is read then fits it.
  const [[paid], [refunded]] = await Promise.all([
    court.batchesPaid(blockNumber, batchId),
    court.batchesRefunded(blockNumber, batchId),
  ]);
  const [made, answers] = await Promise.all([court.challenges(blockNumber, batchId), court.answers(blockNumber, batchId)]);
  const challenges: AuditChallenge[] = [];
  for (const one of made) {
    const answer = answers.find(({ index }) => index === one.index);
    challenges.push(await challengeOf(client, one, answer));
  }
  const record = { amount: amount.toString(), challenges };
  const ended = paid ?? refunded;
  if (ended === undefined) return record;
  const transaction = await fetchTransaction(client.provider, ended.place.transactionHash);
  if (refunded === undefined) return { ...record, ended: { outcome: 'paid', transaction } };
  return { ...record, ended: { outcome: 'refunded', index: refunded.index, transaction } };
}

async function challengeOf(
  { contracts: { court }, provider }: ClientConnection,
  { index, challenger, place }: Challenged,
  answer: ChallengeAnswered | undefined,
): Promise<AuditChallenge> {
  const challenge = { index, challenger, transaction: await fetchTransaction(provider, place.transactionHash) };
  if (answer === undefined) return challenge;
  const proof = await court.answerProof(answer);
  const transaction = await fetchTransaction(provider, answer.place.transactionHash);
  return { ...challenge, answer: { ...(proof && { inferenceProof: proofFromChain(proof) }), transaction } };
}
