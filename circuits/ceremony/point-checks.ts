/** Points that come from others: canonical coordinates, on the curve, in the group of order r, not infinity. And ratios of points. */
import type { Bn128, Element } from 'ffjavascript';
import { FIELD_ORDER } from '#protocol/field.ts';
import { readField } from '../build/r1cs.ts';
import { BASE_FIELD_ORDER, G1_BYTES } from '../build/zkey-format.ts';

const ORDER = Uint8Array.from({ length: 32 }, (_, i) => Number((FIELD_ORDER >> BigInt(8 * i)) & 0xffn));

function isCanonical(point: Element): boolean {
  const view = new DataView(point.buffer, point.byteOffset, point.byteLength);
  for (let at = 0; at < point.length; at += 32) if (readField(view, at) >= BASE_FIELD_ORDER) return false;
  return true;
}

/** Whether bytes are a point of G1 other than infinity; G1 is the whole curve. */
export function isPointOfG1(curve: Bn128, point: Element): boolean {
  return isCanonical(point) && !curve.G1.isZero(point) && curve.G1.isValid(point);
}

/** Whether bytes are a point of G2 other than infinity, its subgroup included. */
export function isPointOfG2(curve: Bn128, point: Element): boolean {
  if (!isCanonical(point) || curve.G2.isZero(point) || !curve.G2.isValid(point)) return false;
  return curve.G2.isZero(curve.G2.timesScalar(point, ORDER));
}

/** The index of the first point of a section that is none of G1, infinity allowed; -1 when all are. */
export function firstStrayPoint(curve: Bn128, points: Uint8Array): number {
  for (let at = 0; at < points.length; at += G1_BYTES) {
    const point = points.subarray(at, at + G1_BYTES);
    if (!isCanonical(point) || !curve.G1.isValid(point)) return at / G1_BYTES;
  }
  return -1;
}

/** Whether ax is to a as bx is to b, for points of G1 and G2 other than infinity. */
export async function isSameRatio(curve: Bn128, a: Element, ax: Element, b: Element, bx: Element): Promise<boolean> {
  if ([a, ax].some((point) => curve.G1.isZero(point)) || [b, bx].some((point) => curve.G2.isZero(point))) return false;
  return curve.pairingEq(a, bx, curve.G1.neg(ax), b);
}
