// Products that are not reduced, for x86-64 with BMI2 and ADX: see product-adx.hpp.
#ifndef STUN_PRODUCT_SUM_ADX_HPP
#define STUN_PRODUCT_SUM_ADX_HPP

#include "product-adx.hpp"
#include "product-sum.hpp"

// (t1, t2, t3, t4) += a * b[i], whose highest limb is t5; nothing is carried out of it.
#define STUN_ADX_WIDE_ROW(offset, t1, t2, t3, t4, t5)    \
  "movq " offset "(%[b]), %%rdx\n\t"                     \
  "xorl %%eax, %%eax\n\t"                                \
  "mulxq 0(%[a]), %%rax, %[carry]\n\t"                   \
  "adoxq %%rax, " t1 "\n\t"                              \
  "adcxq %[carry], " t2 "\n\t"                           \
  "mulxq 8(%[a]), %%rax, %[carry]\n\t"                   \
  "adoxq %%rax, " t2 "\n\t"                              \
  "adcxq %[carry], " t3 "\n\t"                           \
  "mulxq 16(%[a]), %%rax, %[carry]\n\t"                  \
  "adoxq %%rax, " t3 "\n\t"                              \
  "adcxq %[carry], " t4 "\n\t"                           \
  "mulxq 24(%[a]), %%rax, " t5 "\n\t"                    \
  "adoxq %%rax, " t4 "\n\t"                              \
  "movl $0, %%eax\n\t"                                   \
  "adcxq %%rax, " t5 "\n\t"                              \
  "adoxq %%rax, " t5 "\n\t"

namespace {

template <>
struct WideProduct<AdxProduct> {
  static inline void add(uint64_t *sum, const uint64_t *a, const uint64_t *b) {
    typedef const uint64_t(&Limbs)[4];
    typedef uint64_t(&Sum)[9];
    uint64_t t0, t1, t2, t3, t4, t5, t6, t7, carry;
    asm("movq 0(%[b]), %%rdx\n\t"
        "mulxq 0(%[a]), %[t0], %[t1]\n\t"
        "mulxq 8(%[a]), %%rax, %[t2]\n\t"
        "addq %%rax, %[t1]\n\t"
        "mulxq 16(%[a]), %%rax, %[t3]\n\t"
        "adcq %%rax, %[t2]\n\t"
        "mulxq 24(%[a]), %%rax, %[t4]\n\t"
        "adcq %%rax, %[t3]\n\t"
        "adcq $0, %[t4]\n\t"
        STUN_ADX_WIDE_ROW("8", "%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t5]")
        STUN_ADX_WIDE_ROW("16", "%[t2]", "%[t3]", "%[t4]", "%[t5]", "%[t6]")
        STUN_ADX_WIDE_ROW("24", "%[t3]", "%[t4]", "%[t5]", "%[t6]", "%[t7]")
        "addq %[t0], 0(%[sum])\n\t"
        "adcq %[t1], 8(%[sum])\n\t"
        "adcq %[t2], 16(%[sum])\n\t"
        "adcq %[t3], 24(%[sum])\n\t"
        "adcq %[t4], 32(%[sum])\n\t"
        "adcq %[t5], 40(%[sum])\n\t"
        "adcq %[t6], 48(%[sum])\n\t"
        "adcq %[t7], 56(%[sum])\n\t"
        "adcq $0, 64(%[sum])\n\t"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4), [t5] "=&r"(t5), [t6] "=&r"(t6),
          [t7] "=&r"(t7), [carry] "=&r"(carry), "+m"((Sum)*sum)
        : [a] "r"(a), [b] "r"(b), [sum] "r"(sum), "m"((Limbs)*a), "m"((Limbs)*b)
        : "rax", "rdx", "cc");
  }
};

}  // namespace

#endif
