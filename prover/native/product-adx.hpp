// Montgomery multiplication for x86-64 with BMI2 and ADX: mulx leaves the flags alone, adcx and adox keep two carry chains
// apart (Intel, "New Instructions Supporting Large Integer Arithmetic on Intel Architecture Processors", 2012).
// The caller has made sure that the processor has both.
#ifndef STUN_PRODUCT_ADX_HPP
#define STUN_PRODUCT_ADX_HPP

#include "field.hpp"

// (t0, t1, t2, t3, top) = a * b[0].
#define STUN_ADX_FIRST(a, b)                             \
  "movq 0(" b "), %%rdx\n\t"                             \
  "xorl %%eax, %%eax\n\t"                                \
  "mulxq 0(" a "), %[t0], %[t1]\n\t"                     \
  "mulxq 8(" a "), %%rax, %[t2]\n\t"                     \
  "adcxq %%rax, %[t1]\n\t"                               \
  "mulxq 16(" a "), %%rax, %[t3]\n\t"                    \
  "adcxq %%rax, %[t2]\n\t"                               \
  "mulxq 24(" a "), %%rax, %[top]\n\t"                   \
  "adcxq %%rax, %[t3]\n\t"                               \
  "adcq $0, %[top]\n\t"

// The three lower limbs of a row: (t0, t1, t2) += a * b[i] with what is carried into t3 still in both flags and %[carry].
#define STUN_ADX_LOWER(a, b, offset, t0, t1, t2)         \
  "movq " offset "(" b "), %%rdx\n\t"                    \
  "xorl %%eax, %%eax\n\t"                                \
  "mulxq 0(" a "), %%rax, %[carry]\n\t"                  \
  "adoxq %%rax, " t0 "\n\t"                              \
  "adcxq %[carry], " t1 "\n\t"                           \
  "mulxq 8(" a "), %%rax, %[carry]\n\t"                  \
  "adoxq %%rax, " t1 "\n\t"                              \
  "adcxq %[carry], " t2 "\n\t"                           \
  "mulxq 16(" a "), %%rax, %[carry]\n\t"                 \
  "adoxq %%rax, " t2 "\n\t"

// (t0, t1, t2, t3, top) = (t0, t1, t2, t3) + a * b[i].
#define STUN_ADX_ROW(a, b, offset, t0, t1, t2, t3)       \
  STUN_ADX_LOWER(a, b, offset, t0, t1, t2)               \
  "adcxq %[carry], " t3 "\n\t"                           \
  "mulxq 24(" a "), %%rax, %[top]\n\t"                   \
  "adoxq %%rax, " t3 "\n\t"                              \
  "movl $0, %%eax\n\t"                                   \
  "adcxq %%rax, %[top]\n\t"                              \
  "adoxq %%rax, %[top]\n\t"

// (t0, t1, t2, t3, top) += a * b[i].
#define STUN_ADX_MORE(a, b, offset, t0, t1, t2, t3)      \
  STUN_ADX_LOWER(a, b, offset, t0, t1, t2)               \
  "adcxq %[carry], " t3 "\n\t"                           \
  "mulxq 24(" a "), %%rax, %[carry]\n\t"                 \
  "adoxq %%rax, " t3 "\n\t"                              \
  "adcxq %[carry], %[top]\n\t"                           \
  "movl $0, %%eax\n\t"                                   \
  "adoxq %%rax, %[top]\n\t"

// One step of the reduction: (t1, t2, t3, t0) = ((t0, t1, t2, t3, top) + m * modulus) / 2^64.
#define STUN_ADX_REDUCE(t0, t1, t2, t3)                  \
  "movq %[inverse], %%rdx\n\t"                           \
  "imulq " t0 ", %%rdx\n\t"                              \
  "xorl %%eax, %%eax\n\t"                                \
  "mulxq %[modulus0], %%rax, %[carry]\n\t"               \
  "adcxq " t0 ", %%rax\n\t"                              \
  "adcxq %[carry], " t1 "\n\t"                           \
  "mulxq %[modulus1], %%rax, %[carry]\n\t"               \
  "adoxq %%rax, " t1 "\n\t"                              \
  "adcxq %[carry], " t2 "\n\t"                           \
  "mulxq %[modulus2], %%rax, %[carry]\n\t"               \
  "adoxq %%rax, " t2 "\n\t"                              \
  "adcxq %[carry], " t3 "\n\t"                           \
  "mulxq %[modulus3], %%rax, " t0 "\n\t"                 \
  "adoxq %%rax, " t3 "\n\t"                              \
  "movl $0, %%eax\n\t"                                   \
  "adcxq %[top], " t0 "\n\t"                             \
  "adoxq %%rax, " t0 "\n\t"

#define STUN_ADX_RESULTS                                                                                                    \
  [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [top] "=&r"(top), [carry] "=&r"(carry)
#define STUN_ADX_CONSTANTS                                                                                                  \
  [inverse] "m"(P::inverse), [modulus0] "m"(P::modulus[0]), [modulus1] "m"(P::modulus[1]), [modulus2] "m"(P::modulus[2]),   \
      [modulus3] "m"(P::modulus[3])

namespace {

/// Numbers of four limbs, below 2^256 and not always below the modulus.
struct AdxProduct {
  typedef const uint64_t (&Limbs)[4];

  /// A number below a * b / 2^256 + modulus that is a * b / 2^256; a + modulus is below 2^256. Every sum on the way is below
  /// 2^64 * (a + modulus), and after a step of the reduction below a + modulus.
  template <class P>
  static inline void multiplyLazily(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    uint64_t t0, t1, t2, t3, top, carry;
    // The limbs rotate through the registers: after each row the lowest one is free and takes the new highest.
    asm(STUN_ADX_FIRST("%[a]", "%[b]")
        STUN_ADX_REDUCE("%[t0]", "%[t1]", "%[t2]", "%[t3]")
        STUN_ADX_ROW("%[a]", "%[b]", "8", "%[t1]", "%[t2]", "%[t3]", "%[t0]")
        STUN_ADX_REDUCE("%[t1]", "%[t2]", "%[t3]", "%[t0]")
        STUN_ADX_ROW("%[a]", "%[b]", "16", "%[t2]", "%[t3]", "%[t0]", "%[t1]")
        STUN_ADX_REDUCE("%[t2]", "%[t3]", "%[t0]", "%[t1]")
        STUN_ADX_ROW("%[a]", "%[b]", "24", "%[t3]", "%[t0]", "%[t1]", "%[t2]")
        STUN_ADX_REDUCE("%[t3]", "%[t0]", "%[t1]", "%[t2]")
        : STUN_ADX_RESULTS
        : [a] "r"(a), [b] "r"(b), STUN_ADX_CONSTANTS, "m"((Limbs)*a), "m"((Limbs)*b)
        : "rax", "rdx", "cc");
    result[0] = t0, result[1] = t1, result[2] = t2, result[3] = t3;
  }

  /// As `multiplyLazily` with a * b + c * d in place of a * b, and a + c in place of a.
  template <class P>
  static inline void multiplyTwoLazily(uint64_t *result, const uint64_t *a, const uint64_t *b, const uint64_t *c,
                                       const uint64_t *d) {
    uint64_t t0, t1, t2, t3, top, carry;
    asm(STUN_ADX_FIRST("%[a]", "%[b]")
        STUN_ADX_MORE("%[c]", "%[d]", "0", "%[t0]", "%[t1]", "%[t2]", "%[t3]")
        STUN_ADX_REDUCE("%[t0]", "%[t1]", "%[t2]", "%[t3]")
        STUN_ADX_ROW("%[a]", "%[b]", "8", "%[t1]", "%[t2]", "%[t3]", "%[t0]")
        STUN_ADX_MORE("%[c]", "%[d]", "8", "%[t1]", "%[t2]", "%[t3]", "%[t0]")
        STUN_ADX_REDUCE("%[t1]", "%[t2]", "%[t3]", "%[t0]")
        STUN_ADX_ROW("%[a]", "%[b]", "16", "%[t2]", "%[t3]", "%[t0]", "%[t1]")
        STUN_ADX_MORE("%[c]", "%[d]", "16", "%[t2]", "%[t3]", "%[t0]", "%[t1]")
        STUN_ADX_REDUCE("%[t2]", "%[t3]", "%[t0]", "%[t1]")
        STUN_ADX_ROW("%[a]", "%[b]", "24", "%[t3]", "%[t0]", "%[t1]", "%[t2]")
        STUN_ADX_MORE("%[c]", "%[d]", "24", "%[t3]", "%[t0]", "%[t1]", "%[t2]")
        STUN_ADX_REDUCE("%[t3]", "%[t0]", "%[t1]", "%[t2]")
        : STUN_ADX_RESULTS
        : [a] "r"(a), [b] "r"(b), [c] "r"(c), [d] "r"(d), STUN_ADX_CONSTANTS, "m"((Limbs)*a), "m"((Limbs)*b), "m"((Limbs)*c),
          "m"((Limbs)*d)
        : "rax", "rdx", "cc");
    result[0] = t0, result[1] = t1, result[2] = t2, result[3] = t3;
  }

  /// `times` moduli.
  template <class P, int times>
  struct Multiple {
    uint64_t limb[4];
    constexpr Multiple() : limb() {
      unsigned __int128 carry = 0;
      for (int i = 0; i < 4; i++) {
        carry += (unsigned __int128)P::modulus[i] * times;
        limb[i] = (uint64_t)carry;
        carry >>= 64;
      }
    }
  };

  /// a + b; the sum must be below 2^256.
  static inline void addLazily(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    uint64_t r0 = a[0], r1 = a[1], r2 = a[2], r3 = a[3];
    asm("addq %[b0], %[r0]\n\t"
        "adcq %[b1], %[r1]\n\t"
        "adcq %[b2], %[r2]\n\t"
        "adcq %[b3], %[r3]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3)
        : [b0] "rm"(b[0]), [b1] "rm"(b[1]), [b2] "rm"(b[2]), [b3] "rm"(b[3])
        : "cc");
    result[0] = r0, result[1] = r1, result[2] = r2, result[3] = r3;
  }

  /// a - b, and `times` moduli more when that is negative.
  template <class P, int times>
  static inline void subtract(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    static constexpr Multiple<P, times> multiple;
    uint64_t r[4] = {a[0], a[1], a[2], a[3]}, mask, more[4];
    asm("subq %[b0], %[r0]\n\t"
        "sbbq %[b1], %[r1]\n\t"
        "sbbq %[b2], %[r2]\n\t"
        "sbbq %[b3], %[r3]\n\t"
        "sbbq %[mask], %[mask]\n\t"
        : [r0] "+&r"(r[0]), [r1] "+&r"(r[1]), [r2] "+&r"(r[2]), [r3] "+&r"(r[3]), [mask] "=&r"(mask)
        : [b0] "rm"(b[0]), [b1] "rm"(b[1]), [b2] "rm"(b[2]), [b3] "rm"(b[3])
        : "cc");
    for (int i = 0; i < 4; i++) more[i] = multiple.limb[i] & mask;
    addLazily(result, r, more);
  }

  /// modulus - a where `negative` is 1, a where it is 0, without a branch that nobody could predict. a is at most the modulus.
  template <class P>
  static inline void negateIf(uint64_t *result, const uint64_t *a, uint64_t negative) {
    // ~a is -a - 1.
    const uint64_t mask = 0 - negative;
    const uint64_t flipped[4] = {a[0] ^ mask, a[1] ^ mask, a[2] ^ mask, a[3] ^ mask};
    const uint64_t more[4] = {(P::modulus[0] + 1) & mask, P::modulus[1] & mask, P::modulus[2] & mask, P::modulus[3] & mask};
    addLazily(result, more, flipped);
  }

  /// Less `times` moduli where that leaves nothing negative.
  template <class P, int times>
  static inline void reduce(uint64_t *result, const uint64_t *a) {
    static constexpr Multiple<P, times> multiple;
    uint64_t less[4] = {a[0], a[1], a[2], a[3]};
    asm("subq %[m0], %[l0]\n\t"
        "sbbq %[m1], %[l1]\n\t"
        "sbbq %[m2], %[l2]\n\t"
        "sbbq %[m3], %[l3]\n\t"
        "cmovcq %[a0], %[l0]\n\t"
        "cmovcq %[a1], %[l1]\n\t"
        "cmovcq %[a2], %[l2]\n\t"
        "cmovcq %[a3], %[l3]\n\t"
        : [l0] "+&r"(less[0]), [l1] "+&r"(less[1]), [l2] "+&r"(less[2]), [l3] "+&r"(less[3])
        : [a0] "rm"(a[0]), [a1] "rm"(a[1]), [a2] "rm"(a[2]), [a3] "rm"(a[3]), [m0] "m"(multiple.limb[0]),
          [m1] "m"(multiple.limb[1]), [m2] "m"(multiple.limb[2]), [m3] "m"(multiple.limb[3])
        : "cc");
    for (int i = 0; i < 4; i++) result[i] = less[i];
  }

  // What `Prime` asks for: below the modulus from below the modulus.

  template <class P>
  static inline void multiply(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    multiplyLazily<P>(result, a, b);
    reduce<P, 1>(result, result);
  }
  template <class P>
  static inline void add(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    addLazily(result, a, b);
    reduce<P, 1>(result, result);
  }
  template <class P>
  static inline void sub(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    subtract<P, 1>(result, a, b);
  }
};

}  // namespace

#endif
