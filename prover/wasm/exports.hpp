// What a module exports, over the lanes and transforms of its engine. The program around it takes memory with `reserve`, fills it, calls
// one of the others, and ends with `clear`. Addresses and lengths are in bytes.
#ifndef STUN_EXPORTS_HPP
#define STUN_EXPORTS_HPP

#include "engine-of.hpp"
#include "streamed-key.hpp"

namespace {

Heap heap = {nullptr, 0};
uint8_t *proof = nullptr;
size_t proofLength = 0;

template <class Lanes, class Transforms>
struct Exports {
  typedef StreamedKey<Lanes, Transforms> Key;
  typedef EngineOf<Key> Engine;

  static Status prove(size_t keyLength, bool checked, const uint8_t *randomness, const uint8_t *witness, size_t witnessLength) {
    const Platform platform = platformOf(heap);
    KeyFile file;
    if (!readKey<typename Lanes::Scalar>(HostSource{keyLength}, file)) return statusKey;
    proofLength = proofBytes(file.publicSignals);
    proof = (uint8_t *)heap.take(proofLength);
    if (!proof) return statusMemory;
    Key key(platform, file, checked);
    return key.ok() ? Engine::proveWith(platform, key, witness, witnessLength, randomness, proof) : statusMemory;
  }

  /// Bytes that a proof with such a key takes at most, arguments included; 0 when it is none.
  static uint64_t memory(size_t keyLength) {
    KeyFile file;
    if (!readKey<typename Lanes::Scalar>(HostSource{keyLength}, file)) return 0;
    uint64_t lists = 0;
    const Platform counting = countingPlatform(lists, 1);
    const Key key(counting, file, false);
    const size_t arguments[] = {randomnessBytes, witnessBytes(file.wires), proofBytes(file.publicSignals)};
    for (const size_t bytes : arguments) lists += Heap::rounded(bytes);
    return lists + Engine::proofMemoryOf(key, 1);
  }
};

}  // namespace

/// Begins a call that may take this much memory.
STUN_EXPORTED("begin") void begin(size_t budgetBytes) { heap = {Heap::base(), budgetBytes}; }
/// Memory for arguments, or 0 when there is none left.
STUN_EXPORTED("reserve") void *reserve(size_t bytes) { return heap.take(bytes); }
/// Wipes all memory that is still taken, and what functions left on the stack, which begins at 0 and grows down to it.
STUN_EXPORTED("clear") void clear() {
  heap.giveBack(Heap::base(), (size_t)(heap.top - Heap::base()));
  volatile uint8_t here = 0;
  uint8_t *bottom = (uint8_t *)alignment;
  // The compiler knows nothing of this memory, and may think that nobody does.
  asm volatile("" : "+r"(bottom));
  __builtin_memset(bottom, 0, (size_t)(&here - bottom));
  asm volatile("" : : "r"(bottom) : "memory");
}
/// Where the proof of the last call lies that ended well, and how long it is: see engine.hpp.
STUN_EXPORTED("proofAddress") const uint8_t *proofAddress() { return proof; }
STUN_EXPORTED("proofLength") size_t proofBytesOfLast() { return proofLength; }

/// The functions that depend on the engine; `ready`: whether this machine can run it; `memoryNeeded`: what a proof with such a key reserves and
/// takes at most, 0 when it is none.
#define STUN_ENGINE(isReady, ...)                                                                                              \
  STUN_EXPORTED("ready") int32_t ready() { return isReady; }                                                                   \
  STUN_EXPORTED("prove")                                                                                                       \
  int32_t prove(size_t keyLength, int32_t checked, const uint8_t *randomness, const uint8_t *witness, size_t witnessLength) {  \
    return Exports<__VA_ARGS__>::prove(keyLength, checked != 0, randomness, witness, witnessLength);                           \
  }                                                                                                                            \
  STUN_EXPORTED("memoryNeeded") double memoryNeeded(size_t keyLength) { return (double)Exports<__VA_ARGS__>::memory(keyLength); } \
  STUN_EXPORTED("multiply")                                                                                                    \
  int32_t multiply(unsigned group, const uint8_t *points, const uint8_t *scalars, size_t count, unsigned window, uint8_t *sum) { \
    return Exports<__VA_ARGS__>::Engine::multiply(platformOf(heap), group, points, scalars, count, window, sum);               \
  }                                                                                                                            \
  STUN_EXPORTED("transform") int32_t transform(uint8_t *values, unsigned exponent) {                                           \
    return Exports<__VA_ARGS__>::Engine::transform(platformOf(heap), values, exponent);                                        \
  }

#endif
