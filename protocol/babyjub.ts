/**
 * BabyJubJub points as pairs of field elements, and the check that every public key passes at every entrance.
 * Curve arithmetic is @noble/curves'; it is not constant-time (LIMITATIONS.md).
 */
import { babyjubjub } from '@noble/curves/misc.js';
import { StunError } from './errors/stun-error.ts';
import { FIELD_ORDER } from './field.ts';

/** An affine point; also the form of a public key. */
export interface JubPoint {
  readonly x: bigint;
  readonly y: bigint;
}

const Point = babyjubjub.Point;
/** The extended point of the curve library, inside this folder only. */
export type ExtendedPoint = InstanceType<typeof Point>;

/** Order l of the prime-order subgroup that Base8 generates. */
export const SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041n;

/** circomlib's Base8. */
export const BASE8: ExtendedPoint = Point.fromAffine({
  x: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  y: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
});
// A table of its multiples, made at its first use in 6 ms: each multiplication costs a quarter from then on.
BASE8.precompute(4);

/** Affine form of a point. */
export function toJubPoint(point: ExtendedPoint): JubPoint {
  const { x, y } = point.toAffine();
  return { x, y };
}

/** Whether 168700·x² + y² = 1 + 168696·x²·y², with canonical coordinates. */
export function isOnCurve({ x, y }: JubPoint): boolean {
  if (x < 0n || y < 0n || x >= FIELD_ORDER || y >= FIELD_ORDER) return false;
  const xx = (x * x) % FIELD_ORDER;
  const yy = (y * y) % FIELD_ORDER;
  return (168700n * xx + yy - 1n - 168696n * xx * yy) % FIELD_ORDER === 0n;
}

/**
 * A point of the curve, in whatever subgroup.
 * @throws `STUN_KEY_NOT_ON_CURVE`
 */
export function curvePoint(point: JubPoint, what: string): ExtendedPoint {
  if (!isOnCurve(point)) throw new StunError('STUN_KEY_NOT_ON_CURVE', `${what} must be a point of BabyJubJub`);
  return Point.fromAffine({ x: point.x, y: point.y });
}

/** Keys of one order or enclave come with every job, and the check costs as much as half a signature's: good ones are kept, the newest of them. */
const goodKeys = new Map<string, ExtendedPoint>();
const MOST_GOOD_KEYS = 1024;

/**
 * The check of a public key: on the curve, not the identity, in the prime-order subgroup. A key of small order would let a
 * stranger sign; one outside the subgroup has eight equivalent forms.
 * @returns the key, for use in the curve library
 * @throws `STUN_KEY_NOT_ON_CURVE`, `STUN_KEY_SMALL_ORDER`, `STUN_KEY_NOT_IN_SUBGROUP`
 */
export function assertPublicKey(key: JubPoint, what: string): ExtendedPoint {
  const name = `${key.x.toString(16)},${key.y.toString(16)}`;
  const known = goodKeys.get(name);
  if (known !== undefined) return known;
  const point = curvePoint(key, what);
  if (point.isSmallOrder()) throw new StunError('STUN_KEY_SMALL_ORDER', `${what} must not have small order`);
  if (!point.isTorsionFree()) throw new StunError('STUN_KEY_NOT_IN_SUBGROUP', `${what} must lie in the prime-order subgroup`);
  const [oldest] = goodKeys.keys();
  if (goodKeys.size === MOST_GOOD_KEYS && oldest !== undefined) goodKeys.delete(oldest);
  goodKeys.set(name, point);
  return point;
}
