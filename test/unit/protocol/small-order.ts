/** Points of BabyJubJub outside the prime-order subgroup. */
import { babyjubjub } from '@noble/curves/misc.js';
import { FIELD_ORDER, SUBGROUP_ORDER, toJubPoint, type JubPoint } from '#protocol/index.ts';

const { Point } = babyjubjub;

/** All eight points of the torsion subgroup, the multiples 0 to 7 of one of order 8: l times a point of full order. */
export function smallOrderPoints(): JubPoint[] {
  for (let x = 2n; ; x++) {
    const xx = (x * x) % FIELD_ORDER;
    const field = Point.Fp;
    const yy = field.div(field.sub(1n, field.mul(168700n, xx)), field.sub(1n, field.mul(168696n, xx)));
    let y: bigint;
    try {
      y = field.sqrt(yy);
    } catch {
      continue;
    }
    const point = Point.fromAffine({ x, y });
    const generator = point.multiplyUnsafe(SUBGROUP_ORDER - 1n).add(point);
    if (generator.multiplyUnsafe(4n).equals(Point.ZERO)) continue;
    return Array.from({ length: 8 }, (_, i) => toJubPoint(generator.multiplyUnsafe(BigInt(i))));
  }
}

/** Sum of two points of the curve. */
export function jubSum(p: JubPoint, q: JubPoint): JubPoint {
  return toJubPoint(Point.fromAffine(p).add(Point.fromAffine(q)));
}
