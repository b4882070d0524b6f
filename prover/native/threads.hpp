// The platform of the addon: memory within a budget, threads of POSIX, and a control block that the caller
// shares with other threads of JavaScript.
#ifndef STUN_THREADS_HPP
#define STUN_THREADS_HPP

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "platform.hpp"

namespace {

/// What a caller can say and see while a call runs: [0] not 0 stops it, [1] is the stage.
struct Control {
  int32_t stop, stage;
};

constexpr size_t mostThreads = 256;

struct Surroundings {
  size_t budgetBytes;
  /// 1 to mostThreads.
  size_t threads = 1;
  size_t usedBytes = 0;
  Control *control = nullptr;
};

/// From this size on memory comes from the system and goes back to it at once. The C library would keep it, in one arena for every
/// thread that ever asked for some, and a process that proves would grow for as long as threads and sizes meet anew.
constexpr size_t ownMapping = (size_t)1 << 20;

inline void *memoryOf(size_t bytes) {
  if (bytes > SIZE_MAX - 63) return nullptr;
  if (bytes < ownMapping) return aligned_alloc(64, (bytes + 63) / 64 * 64);
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

inline void *allocate(void *context, size_t bytes) {
  Surroundings &own = *(Surroundings *)context;
  if (__atomic_add_fetch(&own.usedBytes, bytes, __ATOMIC_RELAXED) <= own.budgetBytes) {
    void *memory = memoryOf(bytes);
    if (memory) return memory;
  }
  __atomic_sub_fetch(&own.usedBytes, bytes, __ATOMIC_RELAXED);
  return nullptr;
}

/// Clears memory in a way that no compiler leaves out.
inline void wipe(void *memory, size_t bytes) {
  __builtin_memset(memory, 0, bytes);
  asm volatile("" : : "r"(memory) : "memory");
}

inline void release(void *context, void *memory, size_t bytes) {
  wipe(memory, bytes);
  if (bytes < ownMapping) free(memory);
  else munmap(memory, bytes);
  __atomic_sub_fetch(&((Surroundings *)context)->usedBytes, bytes, __ATOMIC_RELAXED);
}

inline void enter(void *context, Stage stage) {
  Control *control = ((Surroundings *)context)->control;
  if (control) __atomic_store_n(&control->stage, (int32_t)stage, __ATOMIC_RELAXED);
}

inline bool cancelled(void *context) {
  Control *control = ((Surroundings *)context)->control;
  return control && __atomic_load_n(&control->stop, __ATOMIC_RELAXED) != 0;
}

struct Shares {
  size_t next, count;
  Task run;
  void *argument;
};

struct Worker {
  Shares *shares;
  size_t index;
};

inline void *takeShares(void *started) {
  const Worker &worker = *(Worker *)started;
  Shares &shares = *worker.shares;
  for (size_t task; (task = __atomic_fetch_add(&shares.next, 1, __ATOMIC_RELAXED)) < shares.count;)
    shares.run(shares.argument, task, worker.index);
  return nullptr;
}

inline void parallel(void *context, size_t count, Task run, void *argument) {
  const size_t workers = ((Surroundings *)context)->threads;
  Shares shares = {0, count, run, argument};
  Worker worker[mostThreads];
  pthread_t thread[mostThreads];
  bool started[mostThreads];
  for (size_t i = 1; i < workers; i++) {
    worker[i] = {&shares, i};
    started[i] = pthread_create(&thread[i], nullptr, takeShares, &worker[i]) == 0;
  }
  // A thread that could not be started leaves its share to the others.
  worker[0] = {&shares, 0};
  takeShares(&worker[0]);
  for (size_t i = 1; i < workers; i++)
    if (started[i]) pthread_join(thread[i], nullptr);
}

inline Platform platformOf(Surroundings &own) {
  return {&own, own.threads, allocate, release, parallel, enter, cancelled};
}

}  // namespace

#endif
