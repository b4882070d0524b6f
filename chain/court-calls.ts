/** What decides a challengeable batch, as the data of a transaction: for whoever compares a signed transaction with what it should say. */
import { getCreateAddress, Interface } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import type { PublishedPair } from '#protocol/terms.ts';
import { artifacts } from './artifacts.ts';
import { lowerAddress } from './contract-access.ts';
import { pairWords } from './court.ts';
import { proofTuple, type ProofPoints } from './escrow.ts';

const court = new Interface(artifacts.ChallengeCourt.abi);

const dataOf = (name: string, args: readonly unknown[]): Hex => court.encodeFunctionData(name, [...args]) as Hex;

/** The data of the court's calls. `pairs` are all pairs of the batch in lane order. */
export const courtCalls = {
  challenge: (batchId: Hex, index: number, pairs: readonly PublishedPair[]): Hex =>
    dataOf('challenge', [batchId, index, pairWords(pairs)]),
  answer: (batchId: Hex, index: number, pairs: readonly PublishedPair[], proof: ProofPoints): Hex =>
    dataOf('answer', [batchId, index, pairWords(pairs), proofTuple(proof)]),
  refundUnanswered: (batchId: Hex, index: number): Hex => dataOf('refundUnanswered', [batchId, index]),
  finalise: (batchId: Hex): Hex => dataOf('finalise', [batchId]),
};

/** The court of an escrow: the first contract that the escrow made, in its constructor, so that its address follows from the escrow's. */
export function courtAddressOf(escrow: string): Hex {
  return lowerAddress(getCreateAddress({ from: escrow, nonce: 1 }));
}
