// Eight elements of a prime field at once in AVX-512 with 52-bit integer multiplication (IFMA): Intel 64 and IA-32 Architectures Software
// Developer's Manual, volume 2, VPMADD52LUQ and VPMADD52HUQ.
//
// An element is five limbs of 52 bits, one vector for each limb, in Montgomery form x * 2^260. A modulus q of BN254 is below
// 2^260 / 84, which leaves room for values above it: a product of a < alpha * q and b < beta * q is below
// (1 + alpha * beta / 84) * q without any reduction, so that
// - products of sums and differences of a few canonical values stay below 2q (`productBound`),
// - in Fq2 (quadratic.hpp) products of components below 5.4q have components below 5.4q again: the cross product is below
//   (1 + 4 * 5.4^2 / 84) q < 2.4q and gets 3q added, the others are below 1.4q.
// Limbs of every value are in 0 .. 2^52 - 1 after each operation, the highest one aside, which shows how large a value is.
//
// In memory an element is four limbs of 64 bits, canonical, in the same Montgomery form.
#ifndef STUN_LANES_IFMA_HPP
#define STUN_LANES_IFMA_HPP

#include <immintrin.h>

#include "field.hpp"
#include "product-adx.hpp"

namespace {

constexpr uint64_t limbMask = ((uint64_t)1 << 52) - 1;

/// Limb i of 52 bits of an integer in four limbs of 64.
constexpr uint64_t limb52(const uint64_t *limbs, int i) {
  const int word = 52 * i / 64, shift = 52 * i % 64;
  const uint64_t next = shift > 12 && word < 3 ? limbs[word + 1] << (64 - shift) : 0;
  return ((limbs[word] >> shift) | next) & limbMask;
}

/// `P`: parameters of a prime field.
template <class P>
struct IfmaLanes {
  __m512i limb[5];

  typedef Prime<P, AdxProduct> Scalar;
  static constexpr unsigned lanes = 8;
  static constexpr int words = 4;
  static constexpr int productBound = 2;
  static constexpr int differenceBound(int bound, int subtracted) { return bound + subtracted; }

  static inline __m512i same(uint64_t value) { return _mm512_set1_epi64((long long)value); }
  static inline IfmaLanes zero() {
    const __m512i none = _mm512_setzero_si512();
    return {{none, none, none, none, none}};
  }
  static inline IfmaLanes one() {
    const Scalar value = fromKey(Scalar::one());
    return {{same(limb52(value.limb, 0)), same(limb52(value.limb, 1)), same(limb52(value.limb, 2)), same(limb52(value.limb, 3)),
             same(limb52(value.limb, 4))}};
  }

  /// Brings limbs that are a little negative or too long into their range; the value must not be negative.
  static inline IfmaLanes carried(const IfmaLanes &a) {
    const __m512i mask = same(limbMask);
    IfmaLanes result;
    __m512i carry = _mm512_srai_epi64(a.limb[0], 52);
    result.limb[0] = _mm512_and_si512(a.limb[0], mask);
    _Pragma("GCC unroll 5")
    for (int i = 1; i < 4; i++) {
      const __m512i sum = _mm512_add_epi64(a.limb[i], carry);
      carry = _mm512_srai_epi64(sum, 52);
      result.limb[i] = _mm512_and_si512(sum, mask);
    }
    result.limb[4] = _mm512_add_epi64(a.limb[4], carry);
    return result;
  }

  static inline IfmaLanes add(const IfmaLanes &a, const IfmaLanes &b) {
    IfmaLanes sum;
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 5; i++) sum.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
    return carried(sum);
  }
  template <int bound = 1>
  static inline IfmaLanes sub(const IfmaLanes &a, const IfmaLanes &b) {
    IfmaLanes difference;
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 5; i++)
      difference.limb[i] = _mm512_add_epi64(_mm512_sub_epi64(a.limb[i], b.limb[i]), same(bound * limb52(P::modulus, i)));
    return carried(difference);
  }

  /// Montgomery product. The accumulators take at most 20 summands below 2^52, so nothing is lost before the last carry.
  static inline IfmaLanes mul(const IfmaLanes &a, const IfmaLanes &b) {
    const __m512i none = _mm512_setzero_si512(), inverse = same(P::inverse & limbMask);
    __m512i t[6] = {none, none, none, none, none, none};
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 5; i++) {
      const __m512i factor = b.limb[i];
      __m512i high[5];
      _Pragma("GCC unroll 5")
      for (int j = 0; j < 5; j++) {
        t[j] = _mm512_madd52lo_epu64(t[j], a.limb[j], factor);
        high[j] = none;
      }
      const __m512i m = _mm512_madd52lo_epu64(none, t[0], inverse);
      _Pragma("GCC unroll 5")
      for (int j = 0; j < 5; j++) {
        t[j] = _mm512_madd52lo_epu64(t[j], m, same(limb52(P::modulus, j)));
        high[j] = _mm512_madd52hi_epu64(high[j], a.limb[j], factor);
      }
      _Pragma("GCC unroll 5")
      for (int j = 0; j < 5; j++) high[j] = _mm512_madd52hi_epu64(high[j], m, same(limb52(P::modulus, j)));
      const __m512i carry = _mm512_srli_epi64(t[0], 52);
      _Pragma("GCC unroll 5")
      for (int j = 0; j < 4; j++) t[j] = _mm512_add_epi64(t[j + 1], high[j]);
      t[4] = high[4];
      t[0] = _mm512_add_epi64(t[0], carry);
    }
    return carried({{t[0], t[1], t[2], t[3], t[4]}});
  }
  static inline IfmaLanes sqr(const IfmaLanes &a) { return mul(a, a); }

  static inline unsigned equal(const IfmaLanes &a, const IfmaLanes &b) {
    __mmask8 same = 0xff;
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 5; i++) same = _mm512_mask_cmpeq_epi64_mask(same, a.limb[i], b.limb[i]);
    return same;
  }
  static inline IfmaLanes select(unsigned mask, const IfmaLanes &a, const IfmaLanes &b) {
    IfmaLanes result;
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 5; i++) result.limb[i] = _mm512_mask_blend_epi64((__mmask8)mask, b.limb[i], a.limb[i]);
    return result;
  }

  static inline IfmaLanes negatedWhere(unsigned mask, const IfmaLanes &a) { return mask == 0 ? a : select(mask, sub<1>(zero(), a), a); }

  /// Less `times` moduli where that leaves nothing negative.
  template <int times>
  static inline IfmaLanes reducedBy(const IfmaLanes &a) {
    IfmaLanes less;
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 5; i++) less.limb[i] = _mm512_sub_epi64(a.limb[i], same(times * limb52(P::modulus, i)));
    less = carried(less);
    const __mmask8 negative = _mm512_movepi64_mask(less.limb[4]);
    return select(negative, a, less);
  }
  static inline IfmaLanes tidied(const IfmaLanes &a) { return a; }
  template <int bound>
  static inline IfmaLanes canonical(const IfmaLanes &a) {
    static_assert(bound <= 16, "no reduction from so far above the modulus");
    IfmaLanes result = a;
    if constexpr (bound > 8) result = reducedBy<8>(result);
    if constexpr (bound > 4) result = reducedBy<4>(result);
    if constexpr (bound > 2) result = reducedBy<2>(result);
    return reducedBy<1>(result);
  }

  /// Reads four limbs of 64 bits for each lane: four rows are transposed in each half.
  static inline IfmaLanes gather(const uint64_t *const *rows, size_t offset) {
    __m512i row[4];
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 4; i++)
      row[i] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(rows[i] + offset))),
                                  _mm256_loadu_si256((const __m256i *)(rows[i + 4] + offset)), 1);
    return fromWords(transposed(row));
  }
  inline void scatter(uint64_t *const *rows, size_t offset) const {
    const Words lines = transposed(toWords().word);
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 4; i++) {
      _mm256_storeu_si256((__m256i *)(rows[i] + offset), _mm512_castsi512_si256(lines.word[i]));
      _mm256_storeu_si256((__m256i *)(rows[i + 4] + offset), _mm512_extracti64x4_epi64(lines.word[i], 1));
    }
  }

  /// The inverses of all lanes by one inversion; no lane may be 0. Values may be up to 4q.
  static IfmaLanes inverse(const IfmaLanes &a) {
    uint64_t memory[lanes][4];
    uint64_t *rows[lanes];
    for (unsigned lane = 0; lane < lanes; lane++) rows[lane] = memory[lane];
    canonical<4>(a).scatter(rows, 0);
    Scalar value[lanes], before[lanes], product = Scalar::one();
    for (unsigned lane = 0; lane < lanes; lane++) {
      value[lane] = Scalar::read((const uint8_t *)memory[lane]);
      before[lane] = product;
      product = Scalar::mul(product, value[lane]);
    }
    // x * 2^260 read as an element is 16 x; the inverse of that, stored in the lanes' form, lacks 16^2.
    Scalar rest = Scalar::inverse(product);
    Scalar factor = Scalar::one();
    for (int i = 0; i < 8; i++) factor = Scalar::dbl(factor);
    for (unsigned lane = lanes; lane-- > 0;) {
      const Scalar inverse = Scalar::mul(Scalar::mul(rest, before[lane]), factor);
      rest = Scalar::mul(rest, value[lane]);
      __builtin_memcpy(memory[lane], inverse.limb, sizeof memory[lane]);
    }
    return gather(rows, 0);
  }

  static inline Scalar fromKey(const Scalar &a) { return times16(a); }
  static inline Scalar toKey(const Scalar &a) {
    // 2^252: the product with it divides by 2^4.
    return Scalar::mul(a, {{0, 0, 0, (uint64_t)1 << 60}});
  }

 private:
  struct Words {
    __m512i word[4];
  };

  static inline Scalar times16(const Scalar &a) {
    Scalar result = a;
    _Pragma("GCC unroll 5")
    for (int i = 0; i < 4; i++) result = Scalar::dbl(result);
    return result;
  }

  /// Four by four in each half of the vectors; its own inverse.
  static inline Words transposed(const __m512i *row) {
    const __m512i low01 = _mm512_unpacklo_epi64(row[0], row[1]), high01 = _mm512_unpackhi_epi64(row[0], row[1]);
    const __m512i low23 = _mm512_unpacklo_epi64(row[2], row[3]), high23 = _mm512_unpackhi_epi64(row[2], row[3]);
    const __m512i front = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), back = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    return {{_mm512_permutex2var_epi64(low01, front, low23), _mm512_permutex2var_epi64(high01, front, high23),
             _mm512_permutex2var_epi64(low01, back, low23), _mm512_permutex2var_epi64(high01, back, high23)}};
  }

  static inline IfmaLanes fromWords(const Words &w) {
    const __m512i mask = same(limbMask);
    return {{_mm512_and_si512(w.word[0], mask),
             _mm512_and_si512(window(w.word[0], w.word[1], 52), mask),
             _mm512_and_si512(window(w.word[1], w.word[2], 40), mask),
             _mm512_and_si512(window(w.word[2], w.word[3], 28), mask), _mm512_srli_epi64(w.word[3], 16)}};
  }
  inline Words toWords() const {
    return {{_mm512_or_si512(limb[0], _mm512_slli_epi64(limb[1], 52)),
             _mm512_or_si512(_mm512_srli_epi64(limb[1], 12), _mm512_slli_epi64(limb[2], 40)),
             _mm512_or_si512(_mm512_srli_epi64(limb[2], 24), _mm512_slli_epi64(limb[3], 28)),
             _mm512_or_si512(_mm512_srli_epi64(limb[3], 36), _mm512_slli_epi64(limb[4], 16))}};
  }
  /// The 64 bits of high:low that begin at bit `shift`.
  static inline __m512i window(__m512i low, __m512i high, unsigned shift) {
    return _mm512_or_si512(_mm512_srli_epi64(low, shift), _mm512_slli_epi64(high, 64 - shift));
  }
};

}  // namespace

#endif
