/** The events of OrderEscrow as the project's own types. */
import type { Result } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import type { Terms } from '#protocol/terms.ts';
import { lowerAddress, type EventPlace } from './contract-access.ts';

/** An event of ethers with its place. */
export interface PlacedEvent {
  readonly args: Result;
  readonly place: EventPlace;
}

/** An OrderOpened event: all that is public of an order. */
export interface OrderOpened {
  readonly orderKey: Hex;
  readonly funder: Hex;
  readonly orderId: bigint;
  readonly token: Hex;
  readonly domain: bigint;
  readonly deadlineUnix: number;
  readonly graceSeconds: number;
  readonly terms: Terms;
  readonly budgets: readonly { readonly provider: Hex; readonly amount: bigint }[];
  readonly place: EventPlace;
}

/**
 * A Settled event. `credited` + `fee` + `shortfall` = total × price scale. Of a challengeable order, `credited` and `fee` wait in the
 * challenge court until the batch is final.
 */
export interface Settled {
  readonly orderKey: Hex;
  readonly provider: Hex;
  readonly laneIndex: number;
  readonly laneOld: bigint;
  readonly laneNew: bigint;
  readonly receiptsRoot: bigint;
  /** Price units. */
  readonly total: bigint;
  /** Token units, after the fee. */
  readonly credited: bigint;
  readonly fee: bigint;
  readonly shortfall: bigint;
  readonly place: EventPlace;
}

/** A Refunded event. */
export interface Refunded {
  readonly orderKey: Hex;
  readonly provider: Hex;
  readonly amount: bigint;
  readonly place: EventPlace;
}

/** A Released event: the outcome of a challengeable batch. */
export interface Released {
  readonly orderKey: Hex;
  readonly provider: Hex;
  /** Token units, fee included. */
  readonly amount: bigint;
  /** 0 when the funder has the money back. */
  readonly fee: bigint;
  readonly toProvider: boolean;
  readonly place: EventPlace;
}

/** The terms as the contract's tuple. */
export function termsTuple(terms: Terms): readonly unknown[] {
  return [
    terms.assurance,
    terms.publicModelId,
    terms.settlementFamily,
    terms.inferenceFamily,
    terms.segmentLength,
    terms.feeBps,
    terms.priceScale,
    terms.challengeWindowSeconds,
    terms.answerPeriodSeconds,
    terms.bond,
    terms.slash,
    terms.challenger,
  ];
}

function termsOf(tuple: Result): Terms {
  return {
    assurance: Number(tuple[0]),
    publicModelId: BigInt(tuple[1]),
    settlementFamily: String(tuple[2]),
    inferenceFamily: String(tuple[3]),
    segmentLength: Number(tuple[4]),
    feeBps: Number(tuple[5]),
    priceScale: BigInt(tuple[6]),
    challengeWindowSeconds: Number(tuple[7]),
    answerPeriodSeconds: Number(tuple[8]),
    bond: BigInt(tuple[9]),
    slash: BigInt(tuple[10]),
    challenger: lowerAddress(tuple[11]),
  };
}

/** Reads an OrderOpened event. */
export function openedOf({ args, place }: PlacedEvent): OrderOpened {
  const budgets = [...(args.getValue('budgets') as Iterable<Result>)];
  return {
    orderKey: String(args.getValue('orderKey')) as Hex,
    funder: lowerAddress(args.getValue('funder')),
    orderId: BigInt(args.getValue('orderId')),
    token: lowerAddress(args.getValue('token')),
    domain: BigInt(args.getValue('domain')),
    deadlineUnix: Number(args.getValue('deadline')),
    graceSeconds: Number(args.getValue('graceSeconds')),
    terms: termsOf(args.getValue('terms') as Result),
    budgets: budgets.map((budget) => ({ provider: lowerAddress(budget[0]), amount: BigInt(budget[1]) })),
    place,
  };
}

/** Reads a Settled event. */
export function settledOf({ args, place }: PlacedEvent): Settled {
  return {
    orderKey: String(args.getValue('orderKey')) as Hex,
    provider: lowerAddress(args.getValue('provider')),
    laneIndex: Number(args.getValue('laneIndex')),
    laneOld: BigInt(args.getValue('laneOld')),
    laneNew: BigInt(args.getValue('laneNew')),
    receiptsRoot: BigInt(args.getValue('receiptsRoot')),
    total: BigInt(args.getValue('total')),
    credited: BigInt(args.getValue('credited')),
    fee: BigInt(args.getValue('fee')),
    shortfall: BigInt(args.getValue('shortfall')),
    place,
  };
}

/** Reads a Refunded event. */
export function refundedOf({ args, place }: PlacedEvent): Refunded {
  return {
    orderKey: String(args.getValue('orderKey')) as Hex,
    provider: lowerAddress(args.getValue('provider')),
    amount: BigInt(args.getValue('amount')),
    place,
  };
}

/** Reads a Released event. */
export function releasedOf({ args, place }: PlacedEvent): Released {
  return {
    orderKey: String(args.getValue('orderKey')) as Hex,
    provider: lowerAddress(args.getValue('provider')),
    amount: BigInt(args.getValue('amount')),
    fee: BigInt(args.getValue('fee')),
    toProvider: Boolean(args.getValue('toProvider')),
    place,
  };
}
