// Two elements of a prime field at once in doubles of WebAssembly's relaxed SIMD, where `relaxed_madd` rounds once
// (WebAssembly core specification, relaxed SIMD; `isFused` asks the machine).
//
// The high and the low half of a product come from two such operations and a constant that fixes where the first one rounds: N.
// Emmart, F. Zheng, C. Weems, "Faster modular exponentiation using double precision floating point arithmetic on the GPU", IEEE
// ARITH 2018. Rounding to nearest instead of to zero makes low halves signed, which costs nothing here.
//
// An element is five limbs of 51 bits, one vector of doubles for each limb, in Montgomery form x * 2^255. Limbs and values have
// signs; sums and differences carry nothing. With q = 0.378 * 2^255, a product of |a| < alpha * q and |b| < beta * q is within
// (0.5 + 0.378 * alpha * beta) * q of 0, and every product of two limbs must stay below 2^102. The limbs of
// - canonical values are in 0 .. 2^51 - 1, so that differences are below 2^51, sums and negative differences below 2^52;
// - products are in -2^50 .. 2^50, those of Fq2 below 2^51 because they are brought within q / 2 without a carry.
//
// In memory an element is four limbs of 64 bits, canonical, in the same Montgomery form.
#ifndef STUN_LANES_FMA_HPP
#define STUN_LANES_FMA_HPP

#include "product-29.hpp"
#include "quadratic.hpp"

namespace {

typedef double Doubles __attribute__((vector_size(16)));
typedef uint64_t Words __attribute__((vector_size(16)));
typedef signed char Bytes16 __attribute__((vector_size(16)));
typedef long long Longs __attribute__((vector_size(16)));

constexpr int limbs51 = 5;
constexpr uint64_t mask51 = ((uint64_t)1 << 51) - 1;

constexpr double powerOfTwo(int exponent) {
  double result = 1;
  for (int i = 0; i < exponent; i++) result *= 2;
  for (int i = 0; i > exponent; i--) result /= 2;
  return result;
}
constexpr uint64_t exponentBits(int exponent) { return (uint64_t)(1023 + exponent) << 52; }

/// Added to a product it makes the sum round to a multiple of 2^51; its bits count them.
constexpr double highConstant = 1.5 * powerOfTwo(103);
/// Added to an integer below 2^51 it makes the bits of the sum count it.
constexpr double lowConstant = 1.5 * powerOfTwo(52);
constexpr uint64_t highBits = exponentBits(103) | (uint64_t)1 << 51, lowBits = exponentBits(52) | (uint64_t)1 << 51;

/// Limb i of 51 bits of an integer in four limbs of 64.
constexpr uint64_t limb51(const uint64_t *words, int i) {
  const int word = 51 * i / 64, shift = 51 * i % 64;
  const uint64_t next = shift > 13 && word < 3 ? words[word + 1] << (64 - shift) : 0;
  return ((words[word] >> shift) | next) & mask51;
}
/// The same integer in limbs from -2^50 to 2^50.
constexpr double balancedLimb(const uint64_t *words, int i) {
  int64_t carry = 0, value = 0;
  for (int k = 0; k <= i; k++) {
    value = (int64_t)limb51(words, k) + carry;
    carry = k + 1 < limbs51 && value >= (int64_t)1 << 50 ? 1 : 0;
    value -= carry << 51;
  }
  return (double)value;
}

/// Word i of half an element, in four words: of it when it is even, else of its sum with the modulus.
constexpr uint64_t halfOf(const uint64_t *element, const uint64_t *modulus, int i) {
  uint64_t sum[5] = {0, 0, 0, 0, 0}, carry = 0;
  for (int k = 0; k < 4; k++) {
    const uint64_t term = element[0] & 1 ? modulus[k] : 0, partial = element[k] + carry;
    sum[k] = partial + term;
    carry = (partial < carry ? 1 : 0) + (sum[k] < term ? 1 : 0);
  }
  return sum[i] >> 1 | sum[i + 1] << 63;
}

/// What column k of a sum of `terms` products and its reduction starts with: less the constants in the bits of everything that is
/// added to it, more what keeps it positive while it is shifted, and balances the limb that it becomes.
constexpr uint64_t columnStart(int k, int terms) {
  uint64_t low = 0, high = 0;
  for (int i = 0; i < limbs51; i++)
    for (int j = 0; j < limbs51; j++) {
      low += i + j == k ? 1 : 0;
      high += i + j + 1 == k ? 1 : 0;
    }
  uint64_t start = 0 - (low * lowBits + high * highBits) * (uint64_t)(terms + 1);
  if (k > 0) start -= (uint64_t)1 << (62 - 51);
  if (k < 2 * limbs51 - 1) start += (uint64_t)1 << 62;
  if (k >= limbs51 && k < 2 * limbs51 - 1) start += (uint64_t)1 << 50;
  if (k == 2 * limbs51 - 1) start += lowBits;
  return start;
}

/// All columns.
template <int terms>
struct ColumnStarts {
  uint64_t of[2 * limbs51];
  constexpr ColumnStarts() : of() {
    for (int k = 0; k < 2 * limbs51; k++) of[k] = columnStart(k, terms);
  }
};
/// The balanced limbs of a modulus.
template <class P>
struct BalancedModulus {
  double limb[limbs51];
  constexpr BalancedModulus() : limb() {
    for (int i = 0; i < limbs51; i++) limb[i] = balancedLimb(P::modulus, i);
  }
};

inline Doubles same(double value) { return Doubles{value, value}; }
inline Words sameWords(uint64_t value) { return Words{value, value}; }
inline Doubles fused(Doubles a, Doubles b, Doubles c) { return __builtin_wasm_relaxed_madd_f64x2(a, b, c); }
inline Doubles down(Doubles a) { return __builtin_wasm_floor_f64x2(a); }
inline bool any(Words mask) { return __builtin_wasm_any_true_v128((Bytes16)mask); }

/// Whether this machine rounds once; otherwise no product below is right.
inline bool isFused() {
  volatile double a = 1 + powerOfTwo(-30), square = 1 + powerOfTwo(-29);
  return fused(same(a), same(a), same(-square))[0] == powerOfTwo(-60);
}

/// `P`: parameters of a prime field.
template <class P>
struct FmaLanes {
  Doubles limb[limbs51];

  typedef Prime<P, Product29> Scalar;
  static constexpr unsigned lanes = 2;
  static constexpr int words = 4;
  static constexpr int productBound = 2;
  static constexpr int differenceBound(int bound, int subtracted) { return bound + subtracted; }

  static inline Doubles modulus(int i) {
    constexpr BalancedModulus<P> balanced;
    return same(balanced.limb[i]);
  }
  static inline FmaLanes zero() { return {{same(0), same(0), same(0), same(0), same(0)}}; }
  static inline FmaLanes one() {
    const uint64_t *const words = oneWords;
    return {{same((double)limb51(words, 0)), same((double)limb51(words, 1)), same((double)limb51(words, 2)),
             same((double)limb51(words, 3)), same((double)limb51(words, 4))}};
  }

  static inline FmaLanes add(const FmaLanes &a, const FmaLanes &b) {
    FmaLanes sum;
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++) sum.limb[i] = a.limb[i] + b.limb[i];
    return sum;
  }
  template <int bound = 1>
  static inline FmaLanes sub(const FmaLanes &a, const FmaLanes &b) {
    FmaLanes difference;
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++) difference.limb[i] = a.limb[i] - b.limb[i];
    return difference;
  }

  /// The Montgomery product of a[0] and b[0], or with two terms the sum of that and the product of a[1] and b[1].
  template <int terms>
  static __attribute__((noinline)) void multiply(FmaLanes &result, const FmaLanes *a, const FmaLanes *b) {
    const Doubles high = same(highConstant), low = same(highConstant + lowConstant);
    const Doubles integer = same(powerOfTwo(52)), inverse = same(inverseModulus);
    constexpr ColumnStarts<terms> start;
    Words t[2 * limbs51];
    STUN_UNROLL
    for (int k = 0; k < 2 * limbs51; k++) t[k] = sameWords(start.of[k]);
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++) {
      STUN_UNROLL
      for (int term = 0; term < terms; term++) {
        STUN_UNROLL
        for (int j = 0; j < limbs51; j++) accumulate(t + i + j, a[term].limb[j], b[term].limb[i], high, low);
      }
      const Doubles rest = (Doubles)((t[i] & sameWords(mask51)) | sameWords(exponentBits(52))) - integer;
      const Doubles m = fused(rest, inverse, high - fused(rest, inverse, high));
      STUN_UNROLL
      for (int j = 0; j < limbs51; j++) accumulate(t + i + j, m, modulus(j), high, low);
      t[i + 1] += t[i] >> 51;
    }
    STUN_UNROLL
    for (int i = 0; i + 1 < limbs51; i++) {
      const Words column = t[limbs51 + i];
      result.limb[i] = (Doubles)((column & sameWords(mask51)) | sameWords(exponentBits(52))) - same(powerOfTwo(52) + powerOfTwo(50));
      t[limbs51 + i + 1] += column >> 51;
    }
    result.limb[limbs51 - 1] = (Doubles)t[2 * limbs51 - 1] - same(lowConstant);
  }
  static inline FmaLanes mul(const FmaLanes &a, const FmaLanes &b) {
    FmaLanes product;
    multiply<1>(product, &a, &b);
    return product;
  }
  static inline FmaLanes sqr(const FmaLanes &a) { return mul(a, a); }

  /// Limbs within 2^50 again, after a sum or difference.
  static inline FmaLanes tidied(const FmaLanes &a) {
    FmaLanes result = a;
    STUN_UNROLL
    for (int i = 0; i + 1 < limbs51; i++) {
      const Doubles carry = __builtin_wasm_nearest_f64x2(result.limb[i] * same(powerOfTwo(-51)));
      result.limb[i] = fused(carry, same(-powerOfTwo(51)), result.limb[i]);
      result.limb[i + 1] += carry;
    }
    return result;
  }

  /// Less the multiple of the modulus that leaves the value within q / 2, without a carry.
  static inline FmaLanes centred(const FmaLanes &a) { return less(a, __builtin_wasm_nearest_f64x2(a.limb[4] * same(overTop))); }

  /// Brings values within 4q of 0 below the modulus, their limbs below 2^51.
  template <int>
  static inline FmaLanes canonical(const FmaLanes &a) {
    // The two highest limbs tell the quotient to 2^-50; a little less than that never leaves anything negative.
    const Doubles top = fused(a.limb[3], same(overTop * powerOfTwo(-51)), same(-powerOfTwo(-45)));
    const FmaLanes rest = carried(less(a, down(fused(a.limb[4], same(overTop), top))));
    // At or above the modulus is next to nothing, but for values of 0.
    const Words high = (Words)(rest.limb[4] >= same((double)limb51(P::modulus, 4)));
    if (!any(high)) return rest;
    const FmaLanes lower = carried(less(rest, same(1)));
    const Words negative = (Words)(lower.limb[4] < same(0));
    FmaLanes result;
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++)
      result.limb[i] = (Doubles)(((Words)rest.limb[i] & negative) | ((Words)lower.limb[i] & ~negative));
    return result;
  }

  static inline unsigned equal(const FmaLanes &a, const FmaLanes &b) {
    Words differences = sameWords(0);
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++) differences |= (Words)a.limb[i] ^ (Words)b.limb[i];
    return bits(differences == sameWords(0));
  }
  static inline FmaLanes select(unsigned mask, const FmaLanes &a, const FmaLanes &b) {
    const Words taken = {mask & 1 ? ~(uint64_t)0 : 0, mask & 2 ? ~(uint64_t)0 : 0};
    FmaLanes result;
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++)
      result.limb[i] = (Doubles)(((Words)a.limb[i] & taken) | ((Words)b.limb[i] & ~taken));
    return result;
  }

  static inline FmaLanes negatedWhere(unsigned mask, const FmaLanes &a) { return mask == 0 ? a : select(mask, sub<1>(zero(), a), a); }

  /// The first lanes of two, and the second ones.
  static inline FmaLanes firsts(const FmaLanes &a, const FmaLanes &b) {
    FmaLanes result;
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++) result.limb[i] = __builtin_shufflevector(a.limb[i], b.limb[i], 0, 2);
    return result;
  }
  static inline FmaLanes seconds(const FmaLanes &a, const FmaLanes &b) {
    FmaLanes result;
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++) result.limb[i] = __builtin_shufflevector(a.limb[i], b.limb[i], 1, 3);
    return result;
  }

  static inline FmaLanes gather(const uint64_t *const *rows, size_t offset) {
    Words w[4];
    STUN_UNROLL
    for (int i = 0; i < 2; i++) {
      const Words first = load(rows[0] + offset + 2 * i), second = load(rows[1] + offset + 2 * i);
      w[2 * i] = __builtin_shufflevector(first, second, 0, 2);
      w[2 * i + 1] = __builtin_shufflevector(first, second, 1, 3);
    }
    return {{limbOf(w[0]), limbOf(w[0] >> 51 | w[1] << 13), limbOf(w[1] >> 38 | w[2] << 26), limbOf(w[2] >> 25 | w[3] << 39),
             limbOf(w[3] >> 12)}};
  }
  inline void scatter(uint64_t *const *rows, size_t offset) const {
    Words u[limbs51];
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++) u[i] = (Words)(limb[i] + same(powerOfTwo(52))) ^ sameWords(exponentBits(52));
    const Words w[4] = {u[0] | u[1] << 51, u[1] >> 13 | u[2] << 38, u[2] >> 26 | u[3] << 25, u[3] >> 39 | u[4] << 12};
    STUN_UNROLL
    for (int i = 0; i < 2; i++) {
      store(rows[0] + offset + 2 * i, __builtin_shufflevector(w[2 * i], w[2 * i + 1], 0, 2));
      store(rows[1] + offset + 2 * i, __builtin_shufflevector(w[2 * i], w[2 * i + 1], 1, 3));
    }
  }

  /// The inverses of both lanes by one inversion; no lane may be 0. Values may be within 4q.
  static FmaLanes inverse(const FmaLanes &a) {
    uint64_t memory[lanes][4];
    uint64_t *rows[lanes] = {memory[0], memory[1]};
    canonical<1>(a).scatter(rows, 0);
    const Scalar first = Scalar::read((const uint8_t *)memory[0]), second = Scalar::read((const uint8_t *)memory[1]);
    // x * 2^255 read as an element is x / 2; the inverse of that, stored in the lanes' form, has 2^2 too many.
    const Scalar both = toLanes(toLanes(Scalar::inverse(Scalar::mul(first, second))));
    const Scalar inverses[lanes] = {Scalar::mul(both, second), Scalar::mul(both, first)};
    __builtin_memcpy(memory, inverses, sizeof memory);
    return gather(rows, 0);
  }

  static inline Scalar fromKey(const Scalar &a) { return toLanes(a); }
  static inline Scalar toKey(const Scalar &a) { return Scalar::dbl(a); }

 private:
  /// 2^204 over the modulus.
  static constexpr double overTop =
      1 / ((double)limb51(P::modulus, 4) + (double)limb51(P::modulus, 3) * powerOfTwo(-51));
  /// -1 over the modulus, mod 2^51, between -2^50 and 2^50.
  static constexpr double inverseModulus = (double)((int64_t)(P::inverse << 13) >> 13);
  /// 2^255 mod q.
  static constexpr uint64_t oneWords[4] = {
      halfOf(P::one, P::modulus, 0), halfOf(P::one, P::modulus, 1), halfOf(P::one, P::modulus, 2), halfOf(P::one, P::modulus, 3)};

  static inline void accumulate(Words *columns, Doubles a, Doubles b, Doubles high, Doubles low) {
    const Doubles upper = fused(a, b, high);
    columns[0] += (Words)fused(a, b, low - upper);
    columns[1] += (Words)upper;
  }
  static inline FmaLanes less(const FmaLanes &a, Doubles times) {
    FmaLanes result;
    STUN_UNROLL
    for (int i = 0; i < limbs51; i++) result.limb[i] = fused(-times, modulus(i), a.limb[i]);
    return result;
  }
  /// Limbs in 0 .. 2^51 - 1, but for the highest.
  static inline FmaLanes carried(const FmaLanes &a) {
    FmaLanes result = a;
    STUN_UNROLL
    for (int i = 0; i + 1 < limbs51; i++) {
      const Doubles carry = down(result.limb[i] * same(powerOfTwo(-51)));
      result.limb[i] = fused(carry, same(-powerOfTwo(51)), result.limb[i]);
      result.limb[i + 1] += carry;
    }
    return result;
  }
  static inline Doubles limbOf(Words bits) {
    return (Doubles)((bits & sameWords(mask51)) | sameWords(exponentBits(52))) - same(powerOfTwo(52));
  }
  static inline unsigned bits(Words mask) { return (unsigned)__builtin_wasm_bitmask_i64x2((Longs)mask); }
  static inline Words load(const uint64_t *from) {
    Words words;
    __builtin_memcpy(&words, from, sizeof words);
    return words;
  }
  static inline void store(uint64_t *to, Words words) { __builtin_memcpy(to, &words, sizeof words); }
  /// From Montgomery form x * 2^256 to x * 2^255.
  static inline Scalar toLanes(const Scalar &a) {
    uint64_t carry = 0;
    const uint64_t odd = 0 - (a.limb[0] & 1);
    Scalar sum;
    for (int i = 0; i < 4; i++) sum.limb[i] = addCarry(a.limb[i], P::modulus[i] & odd, carry);
    for (int i = 0; i < 4; i++) sum.limb[i] = sum.limb[i] >> 1 | (i < 3 ? sum.limb[i + 1] << 63 : 0);
    return sum;
  }
};

/// In Fq2 both components are sums of two products with one reduction.
template <class P>
struct QuadraticProduct<FmaLanes<P>> {
  typedef FmaLanes<P> F;
  static constexpr int bound = 6;
  static inline Quadratic<F> mul(const Quadratic<F> &a, const Quadratic<F> &b) {
    const F left[2] = {a.c0, a.c1}, real[2] = {b.c0, F::sub(F::zero(), b.c1)}, imaginary[2] = {b.c1, b.c0};
    Quadratic<F> product;
    F::template multiply<2>(product.c0, left, real);
    F::template multiply<2>(product.c1, left, imaginary);
    return {F::centred(product.c0), F::centred(product.c1)};
  }
  static inline Quadratic<F> sqr(const Quadratic<F> &a) { return mul(a, a); }
};

}  // namespace

#endif
