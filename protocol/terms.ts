/** The public terms of an order, its domain and key, and the packing of the payee signal. docs/protocol.md section 3. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bigIntToBytes, bytesToBigInt, concatBytes, fromHex, toHex, utf8, type Hex } from './bytes.ts';
import { addressToField, assertUint, fieldToAddress } from './field.ts';

/** Assurance levels. */
export const ASSURANCE = { attested: 0, challengeable: 1, proven: 2 } as const;

/** Name of a level. @returns undefined for a number that is none */
export function assuranceNameOf(assurance: number): keyof typeof ASSURANCE | undefined {
  return (Object.keys(ASSURANCE) as (keyof typeof ASSURANCE)[]).find((name) => ASSURANCE[name] === assurance);
}

/**
 * The fee on an amount, rounded down as OrderEscrow does it; the provider gets the rest.
 * @param amount - token units, fee included
 * @param feeBps - ten-thousandths
 */
export function feeOf(amount: bigint, feeBps: number): bigint {
  return (amount * BigInt(feeBps)) / 10_000n;
}

/** All terms that are fixed when an order opens; the order of the fields is the order of the ABI encoding. */
export interface Terms {
  readonly assurance: number;
  readonly publicModelId: bigint;
  /** 32 bytes. */
  readonly settlementFamily: string;
  /** 32 bytes, zero for attested. */
  readonly inferenceFamily: string;
  readonly segmentLength: number;
  readonly feeBps: number;
  readonly priceScale: bigint;
  readonly challengeWindowSeconds: number;
  readonly answerPeriodSeconds: number;
  readonly bond: bigint;
  readonly slash: bigint;
  readonly challenger: string;
}

/** Where an order lives. */
export interface OrderPlace {
  readonly chainId: bigint;
  readonly escrow: string;
  readonly funder: string;
  /** 0x0…0 is the native coin. */
  readonly token: string;
}

const word = (value: bigint): Uint8Array => bigIntToBytes(value, 32);
const addressWord = (address: string): Uint8Array => word(addressToField(address));

/** abi.encode of the terms: twelve 32-byte words. */
export function encodeTerms(terms: Terms): Uint8Array<ArrayBuffer> {
  const uint = (value: number | bigint, bits: number, what: string): Uint8Array => word(assertUint(BigInt(value), bits, what));
  return concatBytes(
    uint(terms.assurance, 8, 'assurance'),
    word(terms.publicModelId),
    fromHex(terms.settlementFamily, 32, 'settlementFamily'),
    fromHex(terms.inferenceFamily, 32, 'inferenceFamily'),
    uint(terms.segmentLength, 32, 'segmentLength'),
    uint(terms.feeBps, 16, 'feeBps'),
    uint(terms.priceScale, 128, 'priceScale'),
    uint(terms.challengeWindowSeconds, 40, 'challengeWindowSeconds'),
    uint(terms.answerPeriodSeconds, 40, 'answerPeriodSeconds'),
    uint(terms.bond, 128, 'bond'),
    uint(terms.slash, 128, 'slash'),
    addressWord(terms.challenger),
  );
}

/** The domain of an order: 248 bits, the `domain` signal of the settlement circuit. */
export function orderDomainOf(place: OrderPlace, terms: Terms): bigint {
  const encoded = concatBytes(
    keccak_256(utf8('stun/order/v1')),
    word(assertUint(place.chainId, 256, 'chain id')),
    addressWord(place.escrow),
    addressWord(place.funder),
    addressWord(place.token),
    encodeTerms(terms),
  );
  return bytesToBigInt(keccak_256(encoded)) >> 8n;
}

/** orderKey = keccak256(abi.encode(funder, orderId)): the key of the order in the escrow; nobody can squat another's. */
export function orderKeyOf(funder: string, orderId: bigint): Hex {
  return toHex(keccak_256(concatBytes(addressWord(funder), word(orderId))));
}

/** The parts of the payee signal. */
export interface Payee {
  readonly provider: string;
  /** Unix seconds, 40 bits. */
  readonly validAtUnix: number;
  readonly laneIndex: number;
}

/** payee = provider + validAt·2^160 + laneIndex·2^200. */
export function packPayee(payee: Payee): bigint {
  return (
    addressToField(payee.provider, 'provider') +
    (assertUint(BigInt(payee.validAtUnix), 40, 'validAt') << 160n) +
    (assertUint(BigInt(payee.laneIndex), 32, 'laneIndex') << 200n)
  );
}

/** The reverse of packPayee. @throws `STUN_RANGE` when bits above 232 are set */
export function unpackPayee(signal: bigint): Payee {
  assertUint(signal, 232, 'payee');
  return {
    provider: fieldToAddress(signal & ((1n << 160n) - 1n)),
    validAtUnix: Number((signal >> 160n) & ((1n << 40n) - 1n)),
    laneIndex: Number(signal >> 200n),
  };
}

/** Names of the public signals of a settlement, in the order of circuit, proof and contract. */
export const SETTLEMENT_SIGNALS = [
  'enclaveRoot',
  'orderId',
  'laneOld',
  'laneNew',
  'receiptsRoot',
  'payee',
  'total',
  'domain',
] as const;

/** The public signals by name. */
export type SettlementSignals = Readonly<Record<(typeof SETTLEMENT_SIGNALS)[number], bigint>>;

/** The signals as the ordered list that proof and contract take. */
export function signalList(signals: SettlementSignals): bigint[] {
  return SETTLEMENT_SIGNALS.map((name) => signals[name]);
}

/** The commitments of one job as a settlement above `attested` publishes them; both 0 where nothing is paid. */
export interface PublishedPair {
  readonly inputCommitment: bigint;
  readonly outputCommitment: bigint;
}

const NO_PAIR: PublishedPair = { inputCommitment: 0n, outputCommitment: 0n };

/** Names of all public signals of a circuit that publishes that many pairs: the settlement's, then inputs, then outputs, by place. */
export function publicSignalNames(publishedPairs: number): string[] {
  const places = (name: string): string[] => Array.from({ length: publishedPairs }, (_, i) => `${name}[${i}]`);
  return [...SETTLEMENT_SIGNALS, ...places('publishedInput'), ...places('publishedOutput')];
}

/** What is published of each job, in lane order: its commitments where its price is not 0. */
export function publishedPairsOf(jobs: readonly (PublishedPair & { readonly price: bigint })[]): PublishedPair[] {
  return jobs.map(({ price, inputCommitment, outputCommitment }) =>
    price === 0n ? NO_PAIR : { inputCommitment, outputCommitment },
  );
}

/**
 * The ordered list of a proof that publishes pairs: the settlement's signals, then the inputs by place, then the outputs.
 * @param pairs - of the jobs in lane order; places after them publish 0
 * @param places - pairs that the circuit publishes, at least as many as there are jobs; 0 gives {@link signalList}
 */
export function signalListWithPairs(signals: SettlementSignals, pairs: readonly PublishedPair[], places: number): bigint[] {
  const padded = Array.from({ length: places }, (_, i) => pairs[i] ?? NO_PAIR);
  return [
    ...signalList(signals),
    ...padded.map(({ inputCommitment }) => inputCommitment),
    ...padded.map(({ outputCommitment }) => outputCommitment),
  ];
}

/** The pairs in the list of a proof's signals, one a place. The reverse of {@link signalListWithPairs}. */
export function pairsOfSignals(signals: readonly bigint[]): PublishedPair[] {
  const first = SETTLEMENT_SIGNALS.length;
  const places = (signals.length - first) / 2;
  return Array.from({ length: places }, (_, i) => ({
    inputCommitment: signals[first + i]!,
    outputCommitment: signals[first + places + i]!,
  }));
}
