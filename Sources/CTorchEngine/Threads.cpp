#include <ATen/Parallel.h>

#include <atomic>

#include "Guard.hpp"
#include "Threads.hpp"

namespace {

/// Whether this thread lets libtorch use all threads.
thread_local bool usesLibtorch = !ctorch::usesOwnKernels();

/// Sets libtorch's number for this thread. The first query of a thread would replace it by that of another one.
void set(int count) {
  at::get_num_threads();
  at::set_num_threads(count);
}

/// The number for threads that have not computed yet.
std::atomic<int> &initial() {
  static std::atomic<int> count{[] {
    const int count = at::get_num_threads();
    if (ctorch::usesOwnKernels()) set(1);
    return count;
  }()};
  return count;
}

/// The number of this thread. It does not change during a call, which divides scratch memory by it.
int &own() {
  static thread_local int count = initial().load(std::memory_order_relaxed);
  return count;
}

}  // namespace

int ctorch::threads() { return own(); }

void ctorch::setThreads(int count) {
  own() = count;
  initial().store(count, std::memory_order_relaxed);
  set(usesLibtorch ? count : 1);
}

void ctorch::useThreadsOfLibtorch() {
  if (usesLibtorch) return;
  usesLibtorch = true;
  set(threads());
}

void ctorch::computeAlone() {
  static thread_local bool isAlone = false;
  if (isAlone) return;
  isAlone = true;
  set(1);
}
