// Two elements of a prime field in general registers, for products made by BMI2 and ADX. Two, because what is done to one need not wait for
// what is done to the other: a chain of carries, products and reductions leaves most of the processor idle.
//
// An element is four limbs of 64 bits in Montgomery form x * 2^256 and may be above the modulus q; 2^256 is 5.29q. A product of
// a < alpha * q and b < beta * q is below (1 + alpha * beta / 5.29) q as long as alpha is at most 4.29 (AdxProduct::multiplyLazily). `sub`
// adds its multiple of the modulus only where the difference is negative, so that the result is below that multiple or the bound
// of the first operand, whichever is greater (`differenceBound`). Products of values below 2q so stay below 2q, and for Fq2:
//
// | value of PairAdder, Fq2                              | its components are below            |
// | ---------------------------------------------------- | ----------------------------------- |
// | differences of coordinates                           | q                                   |
// | products of differences, and their inverses          | 2q: 1 + (2 + 3) / 5.29              |
// | inverse times product: one over a difference         | 3q: 1 + (2 * 2 + 2 * 3) / 5.29      |
// | slope: a difference times that                       | 2.14q and 2.14q: 1 + (3 + 3) / 5.29 |
// | square of the slope                                  | 3.5q: 1 + 4.28 * 3 / 5.29           |
// | slope times a difference                             | 3q: 1 + 2.14 * (1 + 3) / 5.29       |
#ifndef STUN_LANES_ADX_HPP
#define STUN_LANES_ADX_HPP

#include "product-adx.hpp"
#include "quadratic.hpp"

namespace {

/// `P`: parameters of a prime field.
template <class P>
struct AdxLanes {
  static constexpr unsigned lanes = 2;
  uint64_t limb[lanes][4];

  typedef Prime<P, AdxProduct> Scalar;
  static constexpr int words = 4;
  static constexpr int productBound = 2;
  static constexpr int differenceBound(int bound, int subtracted) { return bound > subtracted ? bound : subtracted; }

  static inline AdxLanes zero() { return {{{0, 0, 0, 0}, {0, 0, 0, 0}}}; }
  static inline AdxLanes one() { return of(Scalar::one(), Scalar::one()); }

  static inline AdxLanes add(const AdxLanes &a, const AdxLanes &b) {
    AdxLanes sum;
    for (unsigned lane = 0; lane < lanes; lane++) AdxProduct::addLazily(sum.limb[lane], a.limb[lane], b.limb[lane]);
    return sum;
  }
  template <int bound = 1>
  static inline AdxLanes sub(const AdxLanes &a, const AdxLanes &b) {
    AdxLanes difference;
    for (unsigned lane = 0; lane < lanes; lane++)
      AdxProduct::subtract<P, bound>(difference.limb[lane], a.limb[lane], b.limb[lane]);
    return difference;
  }
  static inline AdxLanes mul(const AdxLanes &a, const AdxLanes &b) {
    AdxLanes product;
    for (unsigned lane = 0; lane < lanes; lane++)
      AdxProduct::multiplyLazily<P>(product.limb[lane], a.limb[lane], b.limb[lane]);
    return product;
  }
  static inline AdxLanes sqr(const AdxLanes &a) { return mul(a, a); }
  /// a * b + c * d with one reduction.
  static inline AdxLanes mulTwo(const AdxLanes &a, const AdxLanes &b, const AdxLanes &c, const AdxLanes &d) {
    AdxLanes product;
    for (unsigned lane = 0; lane < lanes; lane++)
      AdxProduct::multiplyTwoLazily<P>(product.limb[lane], a.limb[lane], b.limb[lane], c.limb[lane], d.limb[lane]);
    return product;
  }
  /// The inverses of both lanes by one inversion; no lane may be 0. Values may be up to 4q.
  static AdxLanes inverse(const AdxLanes &a) {
    const AdxLanes value = canonical<4>(a);
    const Scalar first = Scalar::read((const uint8_t *)value.limb[0]), second = Scalar::read((const uint8_t *)value.limb[1]);
    const Scalar both = Scalar::inverse(Scalar::mul(first, second));
    return of(Scalar::mul(both, second), Scalar::mul(both, first));
  }

  static inline unsigned equal(const AdxLanes &a, const AdxLanes &b) {
    unsigned result = 0;
    for (unsigned lane = 0; lane < lanes; lane++) {
      uint64_t differences = 0;
      for (int i = 0; i < 4; i++) differences |= a.limb[lane][i] ^ b.limb[lane][i];
      result |= (differences == 0 ? 1u : 0u) << lane;
    }
    return result;
  }
  static inline AdxLanes select(unsigned mask, const AdxLanes &a, const AdxLanes &b) {
    AdxLanes result;
    for (unsigned lane = 0; lane < lanes; lane++)
      for (int i = 0; i < 4; i++) result.limb[lane][i] = (mask >> lane) & 1 ? a.limb[lane][i] : b.limb[lane][i];
    return result;
  }
  static inline AdxLanes negatedWhere(unsigned mask, const AdxLanes &a) {
    AdxLanes result;
    for (unsigned lane = 0; lane < lanes; lane++)
      AdxProduct::negateIf<P>(result.limb[lane], a.limb[lane], (mask >> lane) & 1);
    return result;
  }
  static inline AdxLanes tidied(const AdxLanes &a) { return a; }
  template <int bound>
  static inline AdxLanes canonical(const AdxLanes &a) {
    static_assert(bound <= 4, "no reduction from so far above the modulus");
    AdxLanes result = a;
    for (unsigned lane = 0; lane < lanes; lane++) {
      if constexpr (bound > 2) AdxProduct::reduce<P, 2>(result.limb[lane], result.limb[lane]);
      if constexpr (bound > 1) AdxProduct::reduce<P, 1>(result.limb[lane], result.limb[lane]);
    }
    return result;
  }

  static inline AdxLanes gather(const uint64_t *const *rows, size_t offset) {
    AdxLanes result;
    for (unsigned lane = 0; lane < lanes; lane++)
      __builtin_memcpy(result.limb[lane], rows[lane] + offset, sizeof result.limb[lane]);
    return result;
  }
  inline void scatter(uint64_t *const *rows, size_t offset) const {
    for (unsigned lane = 0; lane < lanes; lane++) __builtin_memcpy(rows[lane] + offset, limb[lane], sizeof limb[lane]);
  }
  static inline Scalar fromKey(const Scalar &a) { return a; }
  static inline Scalar toKey(const Scalar &a) { return a; }

 private:
  static inline AdxLanes of(const Scalar &a, const Scalar &b) {
    return {{{a.limb[0], a.limb[1], a.limb[2], a.limb[3]}, {b.limb[0], b.limb[1], b.limb[2], b.limb[3]}}};
  }
};

/// Both components as sums of two products with one reduction: fewer products of limbs than Karatsuba's way with three reductions, and
/// hardly any sums. Components of `a` must add up to at most 4.29q, those of `b` be below 3q.
template <class P>
struct QuadraticProduct<AdxLanes<P>> {
  typedef AdxLanes<P> F;
  static constexpr int bound = 4;
  static inline Quadratic<F> mul(const Quadratic<F> &a, const Quadratic<F> &b) {
    return {F::mulTwo(a.c0, b.c0, a.c1, F::template sub<3>(F::zero(), b.c1)), F::mulTwo(a.c0, b.c1, a.c1, b.c0)};
  }
  static inline Quadratic<F> sqr(const Quadratic<F> &a) {
    return {F::mul(F::add(a.c0, a.c1), F::template sub<3>(a.c0, a.c1)), F::mul(F::add(a.c0, a.c0), a.c1)};
  }
};

}  // namespace

#endif
