#include <ATen/Parallel.h>

#include <atomic>

#include "Threads.hpp"

namespace {

/// Whether this thread lets libtorch use all threads.
thread_local bool usesLibtorch = false;

std::atomic<int> &chosen() {
  static std::atomic<int> count{[] {
    const int count = at::get_num_threads();
    at::set_num_threads(1);
    return count;
  }()};
  return count;
}

}  // namespace

int ctorch::threads() { return chosen().load(std::memory_order_relaxed); }

void ctorch::setThreads(int count) {
  chosen().store(count, std::memory_order_relaxed);
  at::set_num_threads(usesLibtorch ? count : 1);
}

void ctorch::useThreadsOfLibtorch() {
  if (usesLibtorch) return;
  usesLibtorch = true;
  at::set_num_threads(threads());
}

void ctorch::computeAlone() {
  static thread_local bool isAlone = false;
  if (isAlone) return;
  isAlone = true;
  at::set_num_threads(1);
}
