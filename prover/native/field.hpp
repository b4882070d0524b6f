// The two prime fields of BN254 (alt_bn128, EIP-196): Fq of the coordinates, Fr of the scalars.
//
// An element is four 64-bit limbs, little-endian, below the modulus, in Montgomery form x * 2^256: the form of points and
// coefficients in a zkey file, so that a key is used where it lies. Everything above this file is a template over a field
// with the members of `Prime`; a target whose products are made otherwise (another limb size, another instruction set)
// brings a type with the same members.
//
// A lane type holds `lanes` elements and works on all of them at once; `Prime` is the lane type of width one. Lanes may leave
// values above the modulus: `add` never reduces, `sub` may add `bound` times the modulus to stay positive, and only `canonical`
// brings a value below the modulus. Only canonical values are compared, stored or inverted.
//
// Nothing here is constant-time: a prover runs on its owner's machine, and the witness decides which buckets it touches anyway.
#ifndef STUN_FIELD_HPP
#define STUN_FIELD_HPP

#include <stddef.h>
#include <stdint.h>

// Every engine is one translation unit compiled for its own instruction set; without internal linkage the linker would
// keep one copy of each function, possibly the one that this processor cannot run.
namespace {

struct FqParameters {
  static constexpr uint64_t modulus[4] = {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029};
  /// -modulus^-1 mod 2^64.
  static constexpr uint64_t inverse = 0x87d20782e4866389;
  /// 2^256 and 2^512 modulo the modulus.
  static constexpr uint64_t one[4] = {0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f};
  static constexpr uint64_t square[4] = {0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f};
};

struct FrParameters {
  static constexpr uint64_t modulus[4] = {0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029};
  static constexpr uint64_t inverse = 0xc2e1f593efffffff;
  static constexpr uint64_t one[4] = {0xac96341c4ffffffb, 0x36fc76959f60cd29, 0x666ea36f7879462e, 0x0e0a77c19a07df2f};
  static constexpr uint64_t square[4] = {0x1bb8e645ae216da7, 0x53fe3ab1e35c59e3, 0x8c49833d53bb8085, 0x0216d0b17f4e44a5};
};

/// a + b + carry, the carry in and out.
inline uint64_t addCarry(uint64_t a, uint64_t b, uint64_t &carry) {
  const unsigned __int128 sum = (unsigned __int128)a + b + carry;
  carry = (uint64_t)(sum >> 64);
  return (uint64_t)sum;
}

/// a - b - borrow, the borrow in and out.
inline uint64_t subBorrow(uint64_t a, uint64_t b, uint64_t &borrow) {
  const unsigned __int128 difference = (unsigned __int128)a - b - borrow;
  borrow = (uint64_t)(difference >> 64) & 1;
  return (uint64_t)difference;
}

/// Whether a < b as integers of four limbs.
inline bool isBelow(const uint64_t *a, const uint64_t *b) {
  uint64_t borrow = 0;
  for (int i = 0; i < 4; i++) subBorrow(a[i], b[i], borrow);
  return borrow != 0;
}

/// Little-endian limbs from any address.
inline uint64_t load64(const uint8_t *bytes) {
  uint64_t value;
  __builtin_memcpy(&value, bytes, 8);
  return value;
}

/// Sums and differences below the modulus of numbers below it, in portable C++.
struct PortableSums {
  template <class P>
  static inline void add(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    uint64_t carry = 0, borrow = 0, sum[4], less[4];
    for (int i = 0; i < 4; i++) sum[i] = addCarry(a[i], b[i], carry);
    for (int i = 0; i < 4; i++) less[i] = subBorrow(sum[i], P::modulus[i], borrow);
    for (int i = 0; i < 4; i++) result[i] = borrow ? sum[i] : less[i];
  }
  template <class P>
  static inline void sub(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    uint64_t borrow = 0, carry = 0;
    for (int i = 0; i < 4; i++) result[i] = subBorrow(a[i], b[i], borrow);
    const uint64_t mask = 0 - borrow;
    for (int i = 0; i < 4; i++) result[i] = addCarry(result[i], P::modulus[i] & mask, carry);
  }
};

/// Montgomery multiplication in portable C++: coarsely integrated operand scanning (C. K. Koc, T. Acar, B. Kaliski, "Analyzing
/// and comparing Montgomery multiplication algorithms", IEEE Micro 16(3), 1996). The moduli have two spare bits, so no fifth carry.
struct PortableProduct : PortableSums {
  template <class P>
  static inline void multiply(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    typedef unsigned __int128 wide;
    uint64_t t[5] = {0, 0, 0, 0, 0};
    for (int i = 0; i < 4; i++) {
      uint64_t carry = 0;
      for (int j = 0; j < 4; j++) {
        const wide sum = (wide)a[j] * b[i] + t[j] + carry;
        t[j] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
      }
      t[4] = carry;
      const uint64_t m = t[0] * P::inverse;
      carry = (uint64_t)(((wide)m * P::modulus[0] + t[0]) >> 64);
      for (int j = 1; j < 4; j++) {
        const wide sum = (wide)m * P::modulus[j] + t[j] + carry;
        t[j - 1] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
      }
      t[3] = t[4] + carry;
    }
    for (int i = 0; i < 4; i++) result[i] = t[i];
    if (!isBelow(t, P::modulus)) {
      uint64_t borrow = 0;
      for (int i = 0; i < 4; i++) result[i] = subBorrow(t[i], P::modulus[i], borrow);
    }
  }
};

/// An element of a prime field. `P` holds the modulus, `Product` computes with it.
template <class P, class Product>
struct Prime {
  uint64_t limb[4];

  /// Limbs of an element in memory.
  static constexpr int words = 4;

  static inline Prime zero() { return {{0, 0, 0, 0}}; }
  static inline Prime one() { return {{P::one[0], P::one[1], P::one[2], P::one[3]}}; }
  /// Reads limbs in Montgomery form; they must be below the modulus (see isCanonical).
  static inline Prime read(const uint8_t *bytes) {
    return {{load64(bytes), load64(bytes + 8), load64(bytes + 16), load64(bytes + 24)}};
  }
  /// Whether 32 bytes hold an integer below the modulus.
  static inline bool isCanonical(const uint8_t *bytes) { return isBelow(read(bytes).limb, P::modulus); }

  inline bool isZero() const { return (limb[0] | limb[1] | limb[2] | limb[3]) == 0; }
  inline bool operator==(const Prime &other) const {
    return ((limb[0] ^ other.limb[0]) | (limb[1] ^ other.limb[1]) | (limb[2] ^ other.limb[2]) | (limb[3] ^ other.limb[3])) == 0;
  }

  static inline Prime add(const Prime &a, const Prime &b) {
    Prime sum;
    Product::template add<P>(sum.limb, a.limb, b.limb);
    return sum;
  }
  /// a - b; lanes add `bound` times the modulus.
  template <int bound = 1>
  static inline Prime sub(const Prime &a, const Prime &b) {
    Prime difference;
    Product::template sub<P>(difference.limb, a.limb, b.limb);
    return difference;
  }
  static inline Prime neg(const Prime &a) { return a.isZero() ? a : sub(zero(), a); }
  static inline Prime dbl(const Prime &a) { return add(a, a); }
  static inline Prime mul(const Prime &a, const Prime &b) {
    Prime result;
    Product::template multiply<P>(result.limb, a.limb, b.limb);
    return result;
  }
  static inline Prime sqr(const Prime &a) { return mul(a, a); }

  /// Leaves the Montgomery form: the integer itself.
  static inline Prime toInteger(const Prime &a) { return mul(a, {{1, 0, 0, 0}}); }
  /// Enters it; any integer below 2^254 is reduced.
  static inline Prime fromInteger(const Prime &a) { return mul(a, {{P::square[0], P::square[1], P::square[2], P::square[3]}}); }

  /// 1/a; 0 gives 0. T. Pornin, "Optimized Binary GCD for Modular Inversion", IACR ePrint 2020/972, algorithm 2: thirty-one steps at a
  /// time on the highest and lowest bits of both numbers, then once on the numbers.
  static Prime inverse(const Prime &value) {
    Prime a = value, b = {{P::modulus[0], P::modulus[1], P::modulus[2], P::modulus[3]}}, u = {{1, 0, 0, 0}}, v = zero();
    // 2 * 254 - 1 steps bring a to 0 and b to 1.
    for (int done = 0; done < 507; done += gcdSteps) {
      int64_t f[2] = {1, 0}, g[2] = {0, 1};
      uint64_t x, y;
      extract(a, b, x, y);
      for (int i = 0; i < gcdSteps; i++) {
        const uint64_t odd = 0 - (x & 1), swap = odd & (0 - (uint64_t)(x < y));
        exchange(x, y, swap);
        exchange(f[0], f[1], (int64_t)swap);
        exchange(g[0], g[1], (int64_t)swap);
        x = (x - (y & odd)) >> 1;
        f[0] -= f[1] & (int64_t)odd;
        g[0] -= g[1] & (int64_t)odd;
        f[1] *= 2;
        g[1] *= 2;
      }
      const Prime nextA = combine(a, b, f[0], g[0]), nextB = combine(a, b, f[1], g[1]);
      const Prime nextU = combineModulo(u, v, f[0], g[0]), nextV = combineModulo(u, v, f[1], g[1]);
      a = nextA, b = nextB, u = nextU, v = nextV;
    }
    // v is 1 over the Montgomery form: twice a factor 2^256 is missing.
    const Prime square = {{P::square[0], P::square[1], P::square[2], P::square[3]}};
    return mul(v, mul(square, square));
  }

 private:
  static constexpr int gcdSteps = 31;
  static constexpr uint64_t gcdMask = ((uint64_t)1 << gcdSteps) - 1;

  template <class Word>
  static inline void exchange(Word &a, Word &b, Word mask) {
    const Word difference = (a ^ b) & mask;
    a ^= difference;
    b ^= difference;
  }

  /// Both numbers if they have 64 bits, else their 31 lowest bits below 33 others, of the same place in both, with the highest.
  static inline void extract(const Prime &a, const Prime &b, uint64_t &x, uint64_t &y) {
    int top = 3;
    while (top > 0 && (a.limb[top] | b.limb[top]) == 0) top--;
    x = a.limb[0], y = b.limb[0];
    if (top == 0) return;
    const int zeros = __builtin_clzll(a.limb[top] | b.limb[top]);
    x = (x & gcdMask) | (highest(a, top, zeros) & ~gcdMask);
    y = (y & gcdMask) | (highest(b, top, zeros) & ~gcdMask);
  }
  static inline uint64_t highest(const Prime &a, int top, int zeros) {
    return zeros == 0 ? a.limb[top] : a.limb[top] << zeros | a.limb[top - 1] >> (64 - zeros);
  }

  /// Half a limb: its product with a factor of 31 bits has room for a sign and a carry, on targets without wider products too.
  static inline uint64_t half(const uint64_t *limbs, int i) { return (limbs[i / 2] >> (32 * (i % 2))) & 0xffffffff; }
  static inline void setHalf(uint64_t *limbs, int i, uint64_t value) {
    const uint64_t other = half(limbs, i ^ 1);
    limbs[i / 2] = i % 2 ? value << 32 | other : other << 32 | (value & 0xffffffff);
  }

  /// a * f + b * g in five limbs, of which the last has a sign; |f| + |g| is at most 2^31.
  static inline void multiplyAdd(const Prime &a, const Prime &b, int64_t f, int64_t g, uint64_t *sum) {
    int64_t carry = 0;
    for (int i = 0; i < 8; i++) {
      carry += (int64_t)half(a.limb, i) * f + (int64_t)half(b.limb, i) * g;
      setHalf(sum, i, (uint64_t)carry);
      carry >>= 32;
    }
    sum[4] = (uint64_t)carry;
  }
  static inline Prime shifted(const uint64_t *sum) {
    Prime result;
    for (int i = 0; i < 4; i++) result.limb[i] = sum[i] >> gcdSteps | sum[i + 1] << (64 - gcdSteps);
    return result;
  }
  /// |a * f + b * g| / 2^31, which leaves no rest; the factors get its sign.
  static inline Prime combine(const Prime &a, const Prime &b, int64_t &f, int64_t &g) {
    uint64_t sum[5] = {};
    multiplyAdd(a, b, f, g, sum);
    if ((int64_t)sum[4] < 0) {
      uint64_t borrow = 0;
      for (int i = 0; i < 5; i++) sum[i] = subBorrow(0, sum[i], borrow);
      f = -f, g = -g;
    }
    return shifted(sum);
  }
  /// (u * f + v * g) / 2^31 modulo the modulus.
  static inline Prime combineModulo(const Prime &u, const Prime &v, int64_t f, int64_t g) {
    uint64_t sum[5] = {};
    multiplyAdd(u, v, f, g, sum);
    const uint64_t factor = (sum[0] * P::inverse) & gcdMask;
    uint64_t carry = 0;
    for (int i = 0; i < 8; i++) {
      carry += half(P::modulus, i) * factor + half(sum, i);
      setHalf(sum, i, carry);
      carry >>= 32;
    }
    sum[4] += carry;
    // Between -modulus and twice the modulus.
    Prime result = shifted(sum);
    const uint64_t negative = 0 - (sum[4] >> 63);
    carry = 0;
    for (int i = 0; i < 4; i++) result.limb[i] = addCarry(result.limb[i], P::modulus[i] & negative, carry);
    if (!negative && !isBelow(result.limb, P::modulus)) {
      uint64_t borrow = 0;
      for (int i = 0; i < 4; i++) result.limb[i] = subBorrow(result.limb[i], P::modulus[i], borrow);
    }
    return result;
  }

 public:
  // As a lane type.
  typedef Prime Scalar;
  static constexpr unsigned lanes = 1;
  /// Products stay below this many moduli.
  static constexpr int productBound = 1;
  /// Bound of the difference of a value below `bound` moduli and one below `subtracted`.
  static constexpr int differenceBound(int, int) { return 1; }
  /// Reads one element for each lane, `offset` limbs into its row.
  static inline Prime gather(const uint64_t *const *rows, size_t offset) { return read((const uint8_t *)(rows[0] + offset)); }
  inline void scatter(uint64_t *const *rows, size_t offset) const { __builtin_memcpy(rows[0] + offset, limb, sizeof limb); }
  /// Bit i is set where lane i of both is the same.
  static inline unsigned equal(const Prime &a, const Prime &b) { return a == b ? 1 : 0; }
  /// Lane i of `a` where bit i is set, else of `b`.
  static inline Prime select(unsigned mask, const Prime &a, const Prime &b) { return mask & 1 ? a : b; }
  /// Lane i, which is not 0, negative where bit i is set.
  static inline Prime negatedWhere(unsigned mask, const Prime &a) { return mask & 1 ? sub(zero(), a) : a; }
  /// Brings limbs that are as a difference of three elements leaves them back to what products take.
  static inline Prime tidied(const Prime &a) { return a; }
  /// Brings values below `bound` times the modulus below the modulus.
  template <int bound>
  static inline Prime canonical(const Prime &a) {
    return a;
  }
  /// Between the Montgomery form of key files and the one that lanes are stored in.
  static inline Prime fromKey(const Prime &a) { return a; }
  static inline Prime toKey(const Prime &a) { return a; }
};

}  // namespace

#endif
