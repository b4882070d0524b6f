/** The clear header of a request: what the service needs to drop garbage before it queues anything. */
import { z } from 'zod';
import type { JubPoint } from '../babyjub.ts';
import { assertMaxPrice, demandHeadOf, laneGenesisOf, verifyDemand } from '../demand.ts';
import type { EddsaSignature } from '../eddsa.ts';
import { StunError } from '../errors/stun-error.ts';
import { fieldFromHex, fieldToHex } from '../field.ts';
import {
  addressHex,
  decimal,
  eddsaFromWire,
  eddsaSchema,
  eddsaToWire,
  fieldHex,
  pointFromWire,
  pointSchema,
  pointToWire,
  readDocument,
} from './scalars.ts';

export const jobHeaderSchema = z.strictObject({
  version: z.literal(1),
  funder: addressHex,
  orderId: fieldHex,
  demandKey: pointSchema,
  provider: addressHex,
  laneIndex: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  /** Number of the job in its lane, from 1. */
  k: z.int().min(1),
  previousHead: fieldHex,
  inputCommitment: fieldHex,
  /** Price units. */
  maxPrice: decimal,
  signerId: fieldHex,
  signature: eddsaSchema,
});
export type JobHeaderWire = z.infer<typeof jobHeaderSchema>;

/** A request header. */
export interface JobHeader {
  readonly funder: string;
  readonly orderId: bigint;
  readonly demandKey: JubPoint;
  readonly provider: string;
  readonly laneIndex: number;
  readonly k: number;
  readonly previousHead: bigint;
  readonly inputCommitment: bigint;
  readonly maxPrice: bigint;
  readonly signerId: bigint;
  readonly signature: EddsaSignature;
}

/** Reads a header; checks form and ranges only. @throws `STUN_INPUT`, `STUN_RANGE`, `STUN_PRICE_CAP` */
export function jobHeaderFromWire(document: unknown): JobHeader {
  const wire = readDocument(jobHeaderSchema, document, 'job header');
  return {
    funder: wire.funder,
    orderId: fieldFromHex(wire.orderId, 'orderId'),
    demandKey: pointFromWire(wire.demandKey),
    provider: wire.provider,
    laneIndex: wire.laneIndex,
    k: wire.k,
    previousHead: fieldFromHex(wire.previousHead, 'previousHead'),
    inputCommitment: fieldFromHex(wire.inputCommitment, 'inputCommitment'),
    maxPrice: assertMaxPrice(BigInt(wire.maxPrice)),
    signerId: fieldFromHex(wire.signerId, 'signerId'),
    signature: eddsaFromWire(wire.signature),
  };
}

export function jobHeaderToWire(header: JobHeader): JobHeaderWire {
  return {
    version: 1,
    funder: header.funder,
    orderId: fieldToHex(header.orderId),
    demandKey: pointToWire(header.demandKey),
    provider: header.provider,
    laneIndex: header.laneIndex,
    k: header.k,
    previousHead: fieldToHex(header.previousHead),
    inputCommitment: fieldToHex(header.inputCommitment),
    maxPrice: header.maxPrice.toString(),
    signerId: fieldToHex(header.signerId),
    signature: eddsaToWire(header.signature),
  };
}

/** The head this header signs. */
export function headOfHeader(header: JobHeader): bigint {
  return demandHeadOf(header.previousHead, header);
}

/**
 * Verifies what a stranger to the order can: the demand signature over D_k, and for k = 1 that the previous head is the lane's
 * genesis. Does not check that the key belongs to the order: only the opening tells.
 * @returns D_k
 * @throws `STUN_KEY_*`, `STUN_SIGNATURE`, `STUN_LANE_HEAD`
 */
export function verifyJobHeader(header: JobHeader): bigint {
  if (header.k === 1 && header.previousHead !== laneGenesisOf(header)) {
    throw new StunError('STUN_LANE_HEAD', 'the first demand of a lane must continue its genesis');
  }
  return verifyDemand(header.demandKey, headOfHeader(header), header.signature);
}
