// Which engines this processor and its operating system can run.
#ifndef STUN_PROCESSOR_HPP
#define STUN_PROCESSOR_HPP

#include <cpuid.h>
#include <stdint.h>

namespace {

struct Processor {
  bool adx, ifma;
};

/// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A, CPUID, leaves 1 and 7; volume 1, section 15.2 for
/// what the operating system must have enabled before AVX-512 may be used.
inline Processor processor() {
  unsigned a, b, c, d;
  Processor found = {false, false};
  if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
  uint64_t enabled = 0;
  if ((c >> 27) & 1) {
    uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    enabled = (uint64_t)high << 32 | low;
  }
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
  const bool bmi2 = (b >> 8) & 1, adx = (b >> 19) & 1;
  const bool foundation = (b >> 16) & 1, doubleQuad = (b >> 17) & 1, ifma = (b >> 21) & 1, vectorLength = (b >> 31) & 1;
  // XMM, YMM, mask registers and both parts of ZMM.
  const bool saved = (enabled & 0xe6) == 0xe6;
  found.adx = bmi2 && adx;
  found.ifma = found.adx && saved && foundation && doubleQuad && ifma && vectorLength;
  return found;
}

}  // namespace

#endif
