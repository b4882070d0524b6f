// What the prover asks of its surroundings: memory, threads, and leave to go on. The templates above it make no system call.
#ifndef STUN_PLATFORM_HPP
#define STUN_PLATFORM_HPP

#include <stddef.h>
#include <stdint.h>

/// Steps of a proof in order; a caller sees them as progress.
enum Stage : int32_t {
  stageScalars = 1,  ///< witness cut into digits, products of the constraint matrices with it
  stageWitness = 2,  ///< transforms, and sums over the witness
  stageQuotient = 3, ///< sum over the quotient polynomial
  stageDone = 4,
};

/// How a call ended. The numbers are part of the interface to the addon's TypeScript.
enum Status : int32_t {
  statusDone = 0,
  statusKey = 1,       ///< not a key, or a damaged one
  statusWitness = 2,   ///< not a witness, or one of another circuit
  statusMemory = 3,    ///< the budget does not hold it
  statusCancelled = 4,
  statusArgument = 5,  ///< the caller broke the contract of a function
  statusRefused = 6,   ///< the inputs break a rule of the circuit
};

/// One task of many that may run at once. `worker` is below `workers`, and no two tasks that run at once have the same.
typedef void (*Task)(void *argument, size_t task, size_t worker);

struct Platform {
  void *context;
  /// Threads that `parallel` uses, at least 1.
  size_t workers;
  /// Memory aligned to 64 bytes with any content, or null when there is none left of the budget.
  void *(*allocate)(void *context, size_t bytes);
  /// Gives memory back, wiped: it held parts of a witness.
  void (*release)(void *context, void *memory, size_t bytes);
  /// Runs tasks 0 to count - 1, each once, and returns when all have ended; tasks start in order.
  void (*parallel)(void *context, size_t count, Task run, void *argument);
  /// Reports a stage.
  void (*enter)(void *context, Stage stage);
  /// Whether the caller wants no result any more; asked between tasks.
  bool (*cancelled)(void *context);
};

/// Constructs in memory that is there already; declared here because freestanding targets have no header <new>.
inline void *operator new(size_t, void *memory) noexcept { return memory; }

namespace {

/// A platform that adds up the bytes it is asked for, as they lie in memory, and gives none: what is made over it knows what it would take.
inline Platform countingPlatform(uint64_t &counted, size_t workers) {
  const auto count = [](void *context, size_t bytes) -> void * {
    *(uint64_t *)context += ((uint64_t)bytes + 63) / 64 * 64;
    return nullptr;
  };
  return {&counted, workers, count, nullptr, nullptr, nullptr, nullptr};
}

/// An array that lives as long as its scope. Elements are not initialised; check `ok()` before use.
template <class T>
class Buffer {
 public:
  Buffer(const Platform &platform, size_t count) : platform(platform), count(count) {
    items = count == 0 ? nullptr : (T *)platform.allocate(platform.context, count * sizeof(T));
  }
  ~Buffer() {
    if (items) platform.release(platform.context, items, count * sizeof(T));
  }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  bool ok() const { return count == 0 || items != nullptr; }
  size_t size() const { return count; }
  T *get() const { return items; }
  T &operator[](size_t i) const { return items[i]; }

 private:
  const Platform &platform;
  size_t count;
  T *items;
};

}  // namespace

#endif
