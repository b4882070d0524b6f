// Montgomery multiplication for targets whose widest product is of 64 bits, WebAssembly above all: nine limbs of 29 bits, so that
// a column holds the sum of all its products before any carry.
#ifndef STUN_PRODUCT_29_HPP
#define STUN_PRODUCT_29_HPP

#include "field.hpp"

#define STUN_UNROLL _Pragma("clang loop unroll(full)")

namespace {

constexpr int limbs29 = 9;
constexpr uint64_t mask29 = ((uint64_t)1 << 29) - 1;

/// Limb i of 29 bits of a number of 256 bits times 2^shift, shift below 29.
constexpr uint64_t limb29(const uint64_t *words, int i, int shift) {
  const int bit = 29 * i - shift;
  if (bit < 0) return (words[0] << -bit) & mask29;
  const int word = bit / 64, within = bit % 64;
  const uint64_t next = within > 35 && word < 3 ? words[word + 1] << (64 - within) : 0;
  return ((words[word] >> within) | next) & mask29;
}

struct Product29 : PortableSums {
  /// Nine steps divide by 2^261, the form has 2^256: one operand is taken times 2^5. Columns stay below 2^63.
  template <class P>
  static inline void multiply(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    uint64_t left[limbs29], right[limbs29], t[2 * limbs29];
    STUN_UNROLL
    for (int i = 0; i < limbs29; i++) {
      left[i] = limb29(a, i, 0);
      right[i] = limb29(b, i, 5);
      t[i] = t[i + limbs29] = 0;
    }
    STUN_UNROLL
    for (int i = 0; i < limbs29; i++) {
      STUN_UNROLL
      for (int j = 0; j < limbs29; j++) t[i + j] += left[j] * right[i];
      const uint64_t m = (t[i] * (P::inverse & mask29)) & mask29;
      STUN_UNROLL
      for (int j = 0; j < limbs29; j++) t[i + j] += m * limb29(P::modulus, j, 0);
      t[i + 1] += t[i] >> 29;
    }
    uint64_t *const r = t + limbs29;
    STUN_UNROLL
    for (int i = 0; i + 1 < limbs29; i++) {
      r[i + 1] += r[i] >> 29;
      r[i] &= mask29;
    }
    const uint64_t word[4] = {r[0] | r[1] << 29 | r[2] << 58, r[2] >> 6 | r[3] << 23 | r[4] << 52,
                              r[4] >> 12 | r[5] << 17 | r[6] << 46, r[6] >> 18 | r[7] << 11 | r[8] << 40};
    uint64_t borrow = 0, less[4];
    for (int i = 0; i < 4; i++) less[i] = subBorrow(word[i], P::modulus[i], borrow);
    for (int i = 0; i < 4; i++) result[i] = borrow ? word[i] : less[i];
  }
};

}  // namespace

#endif
