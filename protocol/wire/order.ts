/** Wire forms of orders: place, terms and the opening that travels sealed. */
import { z } from 'zod';
import { utf8 } from '../bytes.ts';
import type { OrderOpening } from '../demand.ts';
import { orderIdOf } from '../demand.ts';
import { StunError } from '../errors/stun-error.ts';
import { fieldFromHex, fieldToHex } from '../field.ts';
import { orderDomainOf, type OrderPlace, type Terms } from '../terms.ts';
import {
  addressHex,
  bytes32Hex,
  canonicalJson,
  decimal,
  fieldHex,
  pointFromWire,
  pointSchema,
  pointToWire,
  readDocument,
} from './scalars.ts';

/** Terms on the wire. */
export const termsSchema = z.strictObject({
  assurance: z.int().min(0).max(2),
  publicModelId: fieldHex,
  settlementFamily: bytes32Hex,
  inferenceFamily: bytes32Hex,
  segmentLength: z.int().min(1).max(256),
  feeBps: z.int().min(0).max(10_000),
  priceScale: decimal,
  challengeWindowSeconds: z.int().min(0),
  answerPeriodSeconds: z.int().min(0),
  bond: decimal,
  slash: decimal,
  challenger: addressHex,
});
export type TermsWire = z.infer<typeof termsSchema>;

export function termsFromWire(wire: TermsWire): Terms {
  return {
    ...wire,
    publicModelId: fieldFromHex(wire.publicModelId, 'publicModelId'),
    priceScale: BigInt(wire.priceScale),
    bond: BigInt(wire.bond),
    slash: BigInt(wire.slash),
  };
}

export function termsToWire(terms: Terms): TermsWire {
  return {
    ...terms,
    publicModelId: fieldToHex(terms.publicModelId),
    priceScale: terms.priceScale.toString(),
    bond: terms.bond.toString(),
    slash: terms.slash.toString(),
  };
}

/** Place on the wire. */
export const placeSchema = z.strictObject({ chainId: decimal, escrow: addressHex, funder: addressHex, token: addressHex });
export type PlaceWire = z.infer<typeof placeSchema>;

export function placeFromWire(wire: PlaceWire): OrderPlace {
  return { ...wire, chainId: BigInt(wire.chainId) };
}

export function placeToWire(place: OrderPlace): PlaceWire {
  return { chainId: place.chainId.toString(), escrow: place.escrow, funder: place.funder, token: place.token };
}

/** The opening of an order as it is sealed: everything orderId hides, and the public part it hangs on. */
export const openingSchema = z.strictObject({
  version: z.literal(1),
  place: placeSchema,
  terms: termsSchema,
  demandKey: pointSchema,
  modelId: fieldHex,
  policyId: fieldHex,
  salt: fieldHex,
});
export type OpeningWire = z.infer<typeof openingSchema>;

/** An order with everything known about it. */
export interface OpenedOrder {
  readonly place: OrderPlace;
  readonly terms: Terms;
  readonly opening: OrderOpening;
  readonly orderId: bigint;
}

/** Computes domain and orderId from a wire opening. @throws `STUN_INPUT`, `STUN_RANGE`, `STUN_KEY_*` */
export function openedOrderFromWire(document: unknown): OpenedOrder {
  const wire = readDocument(openingSchema, document, 'order opening');
  const place = placeFromWire(wire.place);
  const terms = termsFromWire(wire.terms);
  const opening: OrderOpening = {
    domain: orderDomainOf(place, terms),
    demandKey: pointFromWire(wire.demandKey),
    modelId: fieldFromHex(wire.modelId, 'modelId'),
    policyId: fieldFromHex(wire.policyId, 'policyId'),
    salt: fieldFromHex(wire.salt, 'salt'),
  };
  return { place, terms, opening, orderId: orderIdOf(opening) };
}

/** The wire opening of an order. */
export function openingToWire(order: Omit<OpenedOrder, 'orderId'>): OpeningWire {
  return {
    version: 1,
    place: placeToWire(order.place),
    terms: termsToWire(order.terms),
    demandKey: pointToWire(order.opening.demandKey),
    modelId: fieldToHex(order.opening.modelId),
    policyId: fieldToHex(order.opening.policyId),
    salt: fieldToHex(order.opening.salt),
  };
}

/** The bytes of an opening as they are sealed: canonical JSON. */
export function encodeOpening(order: Omit<OpenedOrder, 'orderId'>): Uint8Array<ArrayBuffer> {
  return utf8(canonicalJson(openingToWire(order)));
}

/** Reads the sealed bytes of an opening. @throws as openedOrderFromWire */
export function decodeOpening(bytes: Uint8Array): OpenedOrder {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new StunError('STUN_INPUT', 'the order opening is not JSON', { cause });
  }
  return openedOrderFromWire(document);
}
