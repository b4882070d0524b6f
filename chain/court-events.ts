/** The events of ChallengeCourt as the project's own types. */
import type { Hex } from '#protocol/bytes.ts';
import { pairsOfSignals, SETTLEMENT_SIGNALS, type PublishedPair } from '#protocol/terms.ts';
import { lowerAddress, type EventPlace } from './contract-access.ts';
import type { PlacedEvent } from './escrow-events.ts';

/** A PairsPublished event: the commitments of a settled batch's jobs, both 0 where nothing was paid. */
export interface PairsPublished {
  readonly orderKey: Hex;
  readonly provider: Hex;
  /** The lane's head after the batch. */
  readonly laneNew: bigint;
  /** Sixteen, in lane order. */
  readonly pairs: readonly PublishedPair[];
  readonly place: EventPlace;
}

/** A BatchRecorded event: a challengeable batch whose window opened. */
export interface BatchRecorded {
  readonly batchId: Hex;
  readonly orderKey: Hex;
  readonly provider: Hex;
  readonly laneIndex: number;
  readonly laneNew: bigint;
  /** Token units, fee included. */
  readonly amount: bigint;
  readonly place: EventPlace;
}

/** A Challenged event. */
export interface Challenged {
  readonly batchId: Hex;
  /** Place of the pair, 0..15. */
  readonly index: number;
  readonly challenger: Hex;
  readonly bond: bigint;
  readonly place: EventPlace;
}

/** A ChallengeAnswered event: the bond is the provider's. */
export interface ChallengeAnswered {
  readonly batchId: Hex;
  readonly index: number;
  readonly by: Hex;
  readonly place: EventPlace;
}

/** A BatchPaid event. */
export interface BatchPaid {
  readonly batchId: Hex;
  readonly provider: Hex;
  readonly amount: bigint;
  readonly place: EventPlace;
}

/** A BatchRefunded event: a challenge of the pair at `index` was not answered in time. */
export interface BatchRefunded {
  readonly batchId: Hex;
  readonly index: number;
  readonly funder: Hex;
  readonly amount: bigint;
  /** What the provider lost: half to the challenger, half to the funder. */
  readonly slash: bigint;
  readonly place: EventPlace;
}

/** A BondReturned event: a challenge ended with its batch, neither won nor lost by an answer. */
export interface BondReturned {
  readonly batchId: Hex;
  readonly index: number;
  readonly challenger: Hex;
  readonly place: EventPlace;
}

/** A StakeSlashed event. */
export interface StakeSlashed {
  readonly provider: Hex;
  readonly token: Hex;
  readonly amount: bigint;
  readonly batchId: Hex;
  readonly place: EventPlace;
}

/** Reads a PairsPublished event. */
export function pairsPublishedOf({ args, place }: PlacedEvent): PairsPublished {
  const words = [...(args.getValue('pairs') as Iterable<bigint>)];
  return {
    orderKey: String(args.getValue('orderKey')) as Hex,
    provider: lowerAddress(args.getValue('provider')),
    laneNew: BigInt(args.getValue('laneNew')),
    pairs: pairsOfSignals([...SETTLEMENT_SIGNALS.map(() => 0n), ...words]),
    place,
  };
}

/** Reads a BatchRecorded event. */
export function batchRecordedOf({ args, place }: PlacedEvent): BatchRecorded {
  return {
    batchId: String(args.getValue('batchId')) as Hex,
    orderKey: String(args.getValue('orderKey')) as Hex,
    provider: lowerAddress(args.getValue('provider')),
    laneIndex: Number(args.getValue('laneIndex')),
    laneNew: BigInt(args.getValue('laneNew')),
    amount: BigInt(args.getValue('amount')),
    place,
  };
}

/** Reads a Challenged event. */
export function challengedOf({ args, place }: PlacedEvent): Challenged {
  return {
    ...whereOf({ args, place }),
    challenger: lowerAddress(args.getValue('challenger')),
    bond: BigInt(args.getValue('bond')),
  };
}

/** Reads a ChallengeAnswered event. */
export function answeredOf({ args, place }: PlacedEvent): ChallengeAnswered {
  return { ...whereOf({ args, place }), by: lowerAddress(args.getValue('by')) };
}

/** Reads a BatchPaid event. */
export function batchPaidOf({ args, place }: PlacedEvent): BatchPaid {
  return {
    batchId: String(args.getValue('batchId')) as Hex,
    provider: lowerAddress(args.getValue('provider')),
    amount: BigInt(args.getValue('amount')),
    place,
  };
}

/** Reads a BatchRefunded event. */
export function batchRefundedOf({ args, place }: PlacedEvent): BatchRefunded {
  return {
    ...whereOf({ args, place }),
    funder: lowerAddress(args.getValue('funder')),
    amount: BigInt(args.getValue('amount')),
    slash: BigInt(args.getValue('slash')),
  };
}

/** Reads a BondReturned event. */
export function bondReturnedOf({ args, place }: PlacedEvent): BondReturned {
  return { ...whereOf({ args, place }), challenger: lowerAddress(args.getValue('challenger')) };
}

/** Reads a StakeSlashed event. */
export function stakeSlashedOf({ args, place }: PlacedEvent): StakeSlashed {
  return {
    provider: lowerAddress(args.getValue('provider')),
    token: lowerAddress(args.getValue('token')),
    amount: BigInt(args.getValue('amount')),
    batchId: String(args.getValue('batchId')) as Hex,
    place,
  };
}

function whereOf({ args, place }: PlacedEvent): { batchId: Hex; index: number; place: EventPlace } {
  return { batchId: String(args.getValue('batchId')) as Hex, index: Number(args.getValue('index')), place };
}
