// Sums of products in the scalar field with one reduction for all of them: a reduction is half of the work of a product.
#ifndef STUN_PRODUCT_SUM_HPP
#define STUN_PRODUCT_SUM_HPP

#include "field.hpp"

namespace {

/// Products that are not reduced. `Product`: what multiplies in the field; a target may have its own for it.
template <class Product>
struct WideProduct {
  /// Adds a * b to a number of nine limbs.
  static inline void add(uint64_t *sum, const uint64_t *a, const uint64_t *b) {
    typedef unsigned __int128 wide;
    uint64_t product[8] = {};
    for (int i = 0; i < 4; i++) {
      uint64_t carry = 0;
      for (int j = 0; j < 4; j++) {
        const wide part = (wide)a[j] * b[i] + product[i + j] + carry;
        product[i + j] = (uint64_t)part;
        carry = (uint64_t)(part >> 64);
      }
      product[i + 4] = carry;
    }
    uint64_t carry = 0;
    for (int i = 0; i < 8; i++) sum[i] = addCarry(sum[i], product[i], carry);
    sum[8] += carry;
  }
};

template <class F>
class ProductSum;

/// An element and up to 2^32 products of two elements.
template <class P, class Product>
class ProductSum<Prime<P, Product>> {
 public:
  typedef Prime<P, Product> F;

  /// In Montgomery form an element is its product with 2^256.
  explicit ProductSum(const F &a) : limb{0, 0, 0, 0, a.limb[0], a.limb[1], a.limb[2], a.limb[3], 0} {}

  inline void add(const F &a, const F &b) { WideProduct<Product>::add(limb, a.limb, b.limb); }

  /// The sum as an element.
  inline F reduced() const {
    typedef unsigned __int128 wide;
    // The lower four limbs over 2^256: where one factor is 1, the other may be any number of four limbs.
    const F lower = F::mul({{1, 0, 0, 0}}, {{limb[0], limb[1], limb[2], limb[3]}});
    uint64_t t[4], carry = 0;
    for (int i = 0; i < 4; i++) t[i] = addCarry(limb[4 + i], lower.limb[i], carry);
    // How often the modulus fits into a number below 2^286, or once less: the reciprocal misses less than half of once.
    const uint64_t high = (limb[8] + carry) << 32 | t[3] >> 32;
    const uint64_t times = (uint64_t)(((wide)high * reciprocal) >> 64);
    uint64_t borrow = 0;
    carry = 0;
    for (int i = 0; i < 4; i++) {
      const wide part = (wide)times * P::modulus[i] + carry;
      carry = (uint64_t)(part >> 64);
      t[i] = subBorrow(t[i], (uint64_t)part, borrow);
    }
    const F rest = {{t[0], t[1], t[2], t[3]}};
    return isBelow(t, P::modulus) ? rest : F::sub(rest, {{P::modulus[0], P::modulus[1], P::modulus[2], P::modulus[3]}});
  }

 private:
  /// 2^288 over the modulus, rounded down.
  static constexpr uint64_t reciprocal = 0x54a474626;
  static_assert(P::modulus[0] == FrParameters::modulus[0], "the reciprocal is that of the scalar field");

  uint64_t limb[9];
};

}  // namespace

#endif
