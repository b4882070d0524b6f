// Fq2 = Fq[u] / (u^2 + 1), the coordinates of G2, over a field or over lanes of one.
#ifndef STUN_QUADRATIC_HPP
#define STUN_QUADRATIC_HPP

#include "field.hpp"

namespace {

template <class F>
struct Quadratic;

/// Products in Fq2; a target with a better way for its lanes specialises it.
template <class F>
struct QuadraticProduct {
  /// Products of what PairAdder multiplies stay below this many moduli.
  static constexpr int bound = F::productBound == 1 ? 1 : 6;
  /// Karatsuba: three products. Over lanes, with components below 5.4 times the modulus the products are so too: see lanes-ifma.hpp.
  static inline Quadratic<F> mul(const Quadratic<F> &a, const Quadratic<F> &b) {
    const F low = F::mul(a.c0, b.c0);
    const F high = F::mul(a.c1, b.c1);
    const F cross = F::mul(F::add(a.c0, a.c1), F::add(b.c0, b.c1));
    return {F::template sub<2>(low, high), F::template sub<3>(cross, F::add(low, high))};
  }
  /// (c0 + c1)(c0 - c1) and 2 c0 c1: two products.
  static inline Quadratic<F> sqr(const Quadratic<F> &a) {
    const F cross = F::mul(a.c0, a.c1);
    return {F::mul(F::add(a.c0, a.c1), F::template sub<6>(a.c0, a.c1)), F::add(cross, cross)};
  }
};

/// c0 + c1 * u.
template <class F>
struct Quadratic {
  F c0, c1;

  static constexpr int words = 2 * F::words;

  static inline Quadratic zero() { return {F::zero(), F::zero()}; }
  static inline Quadratic one() { return {F::one(), F::zero()}; }
  static inline Quadratic read(const uint8_t *bytes) { return {F::read(bytes), F::read(bytes + 8 * F::words)}; }
  static inline bool isCanonical(const uint8_t *bytes) { return F::isCanonical(bytes) && F::isCanonical(bytes + 8 * F::words); }
  inline bool isZero() const { return c0.isZero() && c1.isZero(); }
  inline bool operator==(const Quadratic &other) const { return c0 == other.c0 && c1 == other.c1; }

  static inline Quadratic add(const Quadratic &a, const Quadratic &b) { return {F::add(a.c0, b.c0), F::add(a.c1, b.c1)}; }
  template <int bound = 1>
  static inline Quadratic sub(const Quadratic &a, const Quadratic &b) {
    return {F::template sub<bound>(a.c0, b.c0), F::template sub<bound>(a.c1, b.c1)};
  }
  static inline Quadratic neg(const Quadratic &a) { return {F::neg(a.c0), F::neg(a.c1)}; }
  static inline Quadratic dbl(const Quadratic &a) { return {F::dbl(a.c0), F::dbl(a.c1)}; }
  static inline Quadratic mul(const Quadratic &a, const Quadratic &b) { return QuadraticProduct<F>::mul(a, b); }
  static inline Quadratic sqr(const Quadratic &a) { return QuadraticProduct<F>::sqr(a); }
  /// The conjugate over the norm; 0 gives 0.
  static Quadratic inverse(const Quadratic &a) {
    const F norm = F::inverse(F::add(F::sqr(a.c0), F::sqr(a.c1)));
    return {F::mul(a.c0, norm), F::template sub<2>(F::zero(), F::mul(a.c1, norm))};
  }

  // As a lane type.
  static constexpr unsigned lanes = F::lanes;
  static constexpr int productBound = QuadraticProduct<F>::bound;
  static constexpr int differenceBound(int bound, int subtracted) { return F::differenceBound(bound, subtracted); }
  typedef Quadratic<typename F::Scalar> Scalar;
  static inline Quadratic gather(const uint64_t *const *rows, size_t offset) {
    return {F::gather(rows, offset), F::gather(rows, offset + F::words)};
  }
  inline void scatter(uint64_t *const *rows, size_t offset) const {
    c0.scatter(rows, offset);
    c1.scatter(rows, offset + F::words);
  }
  static inline Scalar fromKey(const Scalar &a) { return {F::fromKey(a.c0), F::fromKey(a.c1)}; }
  static inline Scalar toKey(const Scalar &a) { return {F::toKey(a.c0), F::toKey(a.c1)}; }
  static inline unsigned equal(const Quadratic &a, const Quadratic &b) { return F::equal(a.c0, b.c0) & F::equal(a.c1, b.c1); }
  static inline Quadratic select(unsigned mask, const Quadratic &a, const Quadratic &b) {
    return {F::select(mask, a.c0, b.c0), F::select(mask, a.c1, b.c1)};
  }
  static inline Quadratic negatedWhere(unsigned mask, const Quadratic &a) {
    return {F::negatedWhere(mask, a.c0), F::negatedWhere(mask, a.c1)};
  }
  static inline Quadratic tidied(const Quadratic &a) { return {F::tidied(a.c0), F::tidied(a.c1)}; }
  template <int bound>
  static inline Quadratic canonical(const Quadratic &a) {
    return {F::template canonical<bound>(a.c0), F::template canonical<bound>(a.c1)};
  }
};

}  // namespace

#endif
