// The platform of a WebAssembly instance: its own memory as one stack, and what it asks of the program around it. One thread.
#ifndef STUN_HOST_HPP
#define STUN_HOST_HPP

#include "platform.hpp"

#define STUN_IMPORTED(name) extern "C" __attribute__((import_module("host"), import_name(name)))
#define STUN_EXPORTED(name) extern "C" __attribute__((export_name(name)))

/// Copies bytes of the key into memory.
STUN_IMPORTED("read") void hostRead(void *to, size_t offset, size_t bytes);
/// Is told a stage.
STUN_IMPORTED("enter") void hostEnter(int32_t stage);
/// Answers whether to stop, as 0 or 1.
STUN_IMPORTED("cancelled") int32_t hostCancelled(void);

extern "C" uint8_t __heap_base;

namespace {

constexpr size_t pageBytes = 65536, alignment = 64;

/// Memory from the end of the static data, given back in the order opposite to that in which it was taken.
struct Heap {
  uint8_t *top;
  /// What may still be taken.
  size_t budget;

  static uint8_t *base() { return (uint8_t *)(((uintptr_t)&__heap_base + alignment - 1) / alignment * alignment); }
  static size_t rounded(size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

  void *take(size_t bytes) {
    if (bytes > budget || rounded(bytes) > budget) return nullptr;
    const uint64_t end = (uint64_t)(uintptr_t)top + rounded(bytes), memory = (uint64_t)__builtin_wasm_memory_size(0) * pageBytes;
    if (end > memory && __builtin_wasm_memory_grow(0, (size_t)((end - memory + pageBytes - 1) / pageBytes)) == (size_t)-1)
      return nullptr;
    uint8_t *const taken = top;
    top += rounded(bytes);
    budget -= rounded(bytes);
    return taken;
  }
  void giveBack(void *memory, size_t bytes) {
    __builtin_memset(memory, 0, bytes);
    // What is given back out of order stays taken until everything is.
    if ((uint8_t *)memory + rounded(bytes) != top) return;
    top = (uint8_t *)memory;
    budget += rounded(bytes);
  }
};

inline void runAll(void *, size_t count, Task run, void *argument) {
  for (size_t task = 0; task < count; task++) run(argument, task, 0);
}

inline Platform platformOf(Heap &heap) {
  return {&heap,
          1,
          [](void *context, size_t bytes) { return ((Heap *)context)->take(bytes); },
          [](void *context, void *memory, size_t bytes) { ((Heap *)context)->giveBack(memory, bytes); },
          runAll,
          [](void *, Stage stage) { hostEnter(stage); },
          [](void *) { return hostCancelled() != 0; }};
}

/// The key, which stays outside.
struct HostSource {
  size_t length;
  inline void read(size_t offset, size_t count, uint8_t *to) const { hostRead(to, offset, count); }
};

}  // namespace

#endif
