/** Takes notice of an order that is on chain: place and terms are checked against the domain that the escrow stores. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { orderDomainOf, orderKeyOf } from '#protocol/terms.ts';
import { placeFromWire, termsFromWire, type PlaceWire, type TermsWire } from '#protocol/wire/order.ts';
import { inUnit, type Services } from '../services.ts';

/** An order as it is announced. */
export interface Announcement {
  readonly place: PlaceWire;
  readonly orderId: string;
  readonly terms: TermsWire;
}

/**
 * Stores an order and lets the account send jobs under it. Whether its demand key belongs to the order only the enclave can tell.
 * @throws `STUN_ORDER_PLACE`, `STUN_ORDER_UNKNOWN`, `STUN_ORDER_DOMAIN`, `STUN_ORDER_TERMS`, `STUN_CHAIN_UNAVAILABLE`
 */
export async function announceOrder(
  services: Services,
  account: string,
  announcement: Announcement,
): Promise<{ readonly orderKey: string; readonly created: boolean }> {
  const { chain } = services;
  const place = placeFromWire(announcement.place);
  const terms = termsFromWire(announcement.terms);
  if (place.chainId !== BigInt(chain.chainId) || place.escrow !== chain.escrow) {
    const details = { chainId: chain.chainId, escrow: chain.escrow };
    throw new StunError('STUN_ORDER_PLACE', 'this service serves another chain or escrow', { details });
  }
  const orderId = BigInt(announcement.orderId);
  const stored = await chain.order(place.funder, orderId);
  if (stored.domain !== orderDomainOf(place, terms)) {
    throw new StunError('STUN_ORDER_DOMAIN', 'place and terms do not hash to the domain that the escrow stores');
  }
  if (!chain.families.includes(terms.settlementFamily)) {
    throw new StunError('STUN_ORDER_TERMS', 'this service has no prover for the settlement family of the order');
  }
  const orderKey = orderKeyOf(place.funder, orderId);
  const created = await inUnit(services, async (unit) => {
    const inserted = await unit.sql
      .insertInto('orders')
      .values({
        order_key: orderKey,
        order_id: fieldToHex(orderId),
        funder: place.funder,
        chain_id: announcement.place.chainId,
        escrow: place.escrow,
        token: place.token,
        terms: JSON.stringify(announcement.terms),
        domain: fieldToHex(stored.domain),
        deadline_unix: stored.deadlineUnix,
        grace_seconds: stored.graceSeconds,
        settlement_family: terms.settlementFamily,
        price_scale: terms.priceScale.toString(),
        created_at_ms: unit.nowMs,
        event_seq: 0,
      })
      .onConflict((conflict) => conflict.column('order_key').doUpdateSet({ deadline_unix: stored.deadlineUnix }))
      .returning('created_at_ms')
      .executeTakeFirstOrThrow();
    for (const member of new Set([account, place.funder])) {
      await unit.sql
        .insertInto('order_account')
        .values({ order_key: orderKey, account: member, created_at_ms: unit.nowMs })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    return inserted.created_at_ms === unit.nowMs;
  });
  return { orderKey, created };
}
