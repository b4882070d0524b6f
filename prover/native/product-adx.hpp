// Montgomery multiplication for x86-64 with BMI2 and ADX: mulx leaves the flags alone, adcx and adox keep two carry chains
// apart (Intel, "New Instructions Supporting Large Integer Arithmetic on Intel Architecture Processors", 2012).
// The caller has made sure that the processor has both.
#ifndef STUN_PRODUCT_ADX_HPP
#define STUN_PRODUCT_ADX_HPP

#include "field.hpp"

// t += a * b[i] into t0..t3 and %[top], then one step of the reduction: t = (t + m * modulus) / 2^64. After the first
// chain no carry is left over, because a, b < 2^254.
#define STUN_ADX_REDUCE(t0, t1, t2, t3)                  \
  "movq %[inverse], %%rdx\n\t"                           \
  "imulq " t0 ", %%rdx\n\t"                              \
  "xorl %%eax, %%eax\n\t"                                \
  "mulxq 0(%[modulus]), %%rax, %[carry]\n\t"             \
  "adcxq " t0 ", %%rax\n\t"                              \
  "adcxq %[carry], " t1 "\n\t"                           \
  "mulxq 8(%[modulus]), %%rax, %[carry]\n\t"             \
  "adoxq %%rax, " t1 "\n\t"                              \
  "adcxq %[carry], " t2 "\n\t"                           \
  "mulxq 16(%[modulus]), %%rax, %[carry]\n\t"            \
  "adoxq %%rax, " t2 "\n\t"                              \
  "adcxq %[carry], " t3 "\n\t"                           \
  "mulxq 24(%[modulus]), %%rax, " t0 "\n\t"              \
  "adoxq %%rax, " t3 "\n\t"                              \
  "movl $0, %%eax\n\t"                                   \
  "adcxq %[top], " t0 "\n\t"                             \
  "adoxq %%rax, " t0 "\n\t"

#define STUN_ADX_ROW(offset, t0, t1, t2, t3)             \
  "movq " offset "(%[b]), %%rdx\n\t"                     \
  "xorl %%eax, %%eax\n\t"                                \
  "mulxq 0(%[a]), %%rax, %[carry]\n\t"                   \
  "adoxq %%rax, " t0 "\n\t"                              \
  "adcxq %[carry], " t1 "\n\t"                           \
  "mulxq 8(%[a]), %%rax, %[carry]\n\t"                   \
  "adoxq %%rax, " t1 "\n\t"                              \
  "adcxq %[carry], " t2 "\n\t"                           \
  "mulxq 16(%[a]), %%rax, %[carry]\n\t"                  \
  "adoxq %%rax, " t2 "\n\t"                              \
  "adcxq %[carry], " t3 "\n\t"                           \
  "mulxq 24(%[a]), %%rax, %[top]\n\t"                    \
  "adoxq %%rax, " t3 "\n\t"                              \
  "movl $0, %%eax\n\t"                                   \
  "adcxq %%rax, %[top]\n\t"                              \
  "adoxq %%rax, %[top]\n\t"

namespace {

struct AdxProduct {
  template <class P>
  static inline void multiply(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    typedef const uint64_t(&Limbs)[4];
    uint64_t t0, t1, t2, t3, top, carry;
    // The limbs rotate through the registers: after each row the lowest one is free and takes the new highest.
    asm("movq 0(%[b]), %%rdx\n\t"
        "xorl %%eax, %%eax\n\t"
        "mulxq 0(%[a]), %[t0], %[t1]\n\t"
        "mulxq 8(%[a]), %%rax, %[t2]\n\t"
        "adcxq %%rax, %[t1]\n\t"
        "mulxq 16(%[a]), %%rax, %[t3]\n\t"
        "adcxq %%rax, %[t2]\n\t"
        "mulxq 24(%[a]), %%rax, %[top]\n\t"
        "adcxq %%rax, %[t3]\n\t"
        "movl $0, %%eax\n\t"
        "adcxq %%rax, %[top]\n\t"
        STUN_ADX_REDUCE("%[t0]", "%[t1]", "%[t2]", "%[t3]")
        STUN_ADX_ROW("8", "%[t1]", "%[t2]", "%[t3]", "%[t0]")
        STUN_ADX_REDUCE("%[t1]", "%[t2]", "%[t3]", "%[t0]")
        STUN_ADX_ROW("16", "%[t2]", "%[t3]", "%[t0]", "%[t1]")
        STUN_ADX_REDUCE("%[t2]", "%[t3]", "%[t0]", "%[t1]")
        STUN_ADX_ROW("24", "%[t3]", "%[t0]", "%[t1]", "%[t2]")
        STUN_ADX_REDUCE("%[t3]", "%[t0]", "%[t1]", "%[t2]")
        // Less the modulus, unless that borrows.
        "movq %[t0], %%rax\n\t"
        "subq 0(%[modulus]), %%rax\n\t"
        "movq %[t1], %%rdx\n\t"
        "sbbq 8(%[modulus]), %%rdx\n\t"
        "movq %[t2], %[carry]\n\t"
        "sbbq 16(%[modulus]), %[carry]\n\t"
        "movq %[t3], %[top]\n\t"
        "sbbq 24(%[modulus]), %[top]\n\t"
        "cmovncq %%rax, %[t0]\n\t"
        "cmovncq %%rdx, %[t1]\n\t"
        "cmovncq %[carry], %[t2]\n\t"
        "cmovncq %[top], %[t3]\n\t"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [top] "=&r"(top), [carry] "=&r"(carry)
        : [a] "r"(a), [b] "r"(b), [modulus] "r"(P::modulus), [inverse] "m"(P::inverse), "m"((Limbs)*a), "m"((Limbs)*b),
          "m"((Limbs)*P::modulus)
        : "rax", "rdx", "cc");
    result[0] = t0;
    result[1] = t1;
    result[2] = t2;
    result[3] = t3;
  }
};

}  // namespace

#endif
