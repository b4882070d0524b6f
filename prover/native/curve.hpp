// Points of y^2 = x^3 + b over a field F. Affine points are stored as x then y, infinity as all zeros (no point of these
// curves has x = y = 0, since b is not 0). Sums of few points go through the extended coordinates (X, Y, ZZ, ZZZ) with
// x = X/ZZ, y = Y/ZZZ, ZZ^3 = ZZZ^2: Explicit-Formulas Database, "Short Weierstrass curves, XYZZ coordinates".
#ifndef STUN_CURVE_HPP
#define STUN_CURVE_HPP

#include "quadratic.hpp"

namespace {

template <class F>
struct Affine {
  F x, y;

  static constexpr int words = 2 * F::words;
  static inline Affine infinity() { return {F::zero(), F::zero()}; }
  static inline Affine read(const uint8_t *bytes) { return {F::read(bytes), F::read(bytes + 8 * F::words)}; }
  inline bool isInfinity() const { return x.isZero() && y.isZero(); }
  static inline Affine neg(const Affine &a) { return {a.x, F::neg(a.y)}; }
  /// Whether the point satisfies the equation, or is infinity.
  inline bool isOnCurve(const F &b) const { return isInfinity() || F::sqr(y) == F::add(F::mul(F::sqr(x), x), b); }
};

/// A point in extended coordinates; infinity has zz = 0. Every formula below is complete: it takes equal and opposite points.
template <class F>
struct Extended {
  F x, y, zz, zzz;

  static inline Extended infinity() { return {F::zero(), F::zero(), F::zero(), F::zero()}; }
  static inline Extended from(const Affine<F> &a) { return a.isInfinity() ? infinity() : Extended{a.x, a.y, F::one(), F::one()}; }
  inline bool isInfinity() const { return zz.isZero(); }

  /// dbl-2008-s-1 with a = 0.
  static Extended dbl(const Extended &p) {
    if (p.isInfinity()) return p;
    const F u = F::dbl(p.y);
    const F v = F::sqr(u);
    const F w = F::mul(u, v);
    const F s = F::mul(p.x, v);
    const F xx = F::sqr(p.x);
    const F m = F::add(F::dbl(xx), xx);
    const F x = F::sub(F::sqr(m), F::dbl(s));
    return {x, F::sub(F::mul(m, F::sub(s, x)), F::mul(w, p.y)), F::mul(v, p.zz), F::mul(w, p.zzz)};
  }

  /// add-2008-s.
  static Extended add(const Extended &p, const Extended &q) {
    if (p.isInfinity()) return q;
    if (q.isInfinity()) return p;
    const F u1 = F::mul(p.x, q.zz);
    const F s1 = F::mul(p.y, q.zzz);
    const F difference = F::sub(F::mul(q.x, p.zz), u1);
    const F r = F::sub(F::mul(q.y, p.zzz), s1);
    if (difference.isZero()) return r.isZero() ? dbl(p) : infinity();
    const F pp = F::sqr(difference);
    const F ppp = F::mul(difference, pp);
    const F v = F::mul(u1, pp);
    const F x = F::sub(F::sub(F::sqr(r), ppp), F::dbl(v));
    return {x, F::sub(F::mul(r, F::sub(v, x)), F::mul(s1, ppp)), F::mul(F::mul(p.zz, q.zz), pp),
            F::mul(F::mul(p.zzz, q.zzz), ppp)};
  }

  static Extended neg(const Extended &p) { return {p.x, F::neg(p.y), p.zz, p.zzz}; }

  /// Double and add over an integer of four limbs.
  static Extended multiply(const Extended &p, const uint64_t *scalar) {
    Extended result = infinity();
    for (int bit = 255; bit >= 0; bit--) {
      result = dbl(result);
      if ((scalar[bit / 64] >> (bit % 64)) & 1) result = add(result, p);
    }
    return result;
  }

  Affine<F> toAffine() const {
    if (isInfinity()) return Affine<F>::infinity();
    const F inverse = F::inverse(zzz);
    const F overZ = F::mul(inverse, zz);
    return {F::mul(x, F::sqr(overZ)), F::mul(y, inverse)};
  }
};

}  // namespace

#endif
