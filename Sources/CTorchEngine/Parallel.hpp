#pragma once
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <c10/util/ParallelGuard.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <vector>

#include "Guard.hpp"
#include "Team.hpp"
#include "Threads.hpp"

namespace ctorch {

/// Calls `body` for ranges that cover 0 ..< count, on `threads()` threads. Each range but the last of a thread has at least `grain`
/// indices. The ranges, and the threads that compute them, differ from call to call. The body must not throw.
template <typename Body>
void inParallel(int64_t count, int64_t grain, const Body &body) {
  if (count <= 0) return;
  const auto call = [](const void *context, int64_t begin, int64_t end) {
    (*static_cast<const Body *>(context))(begin, end);
  };
  team::run(count, grain, count <= grain ? 1 : threads(), call, &body);
}

/// Calls `body` for each part of 0 ..< parts; it may call operators of libtorch, and throw.
template <typename Body>
void forEachPart(int64_t parts, const Body &body) {
  std::exception_ptr failure;
  std::mutex mutex;
  inParallel(parts, 1, [&](int64_t begin, int64_t end) {
    if (team::isHelper()) computeAlone();
    const c10::NoGradGuard noGradient;
    const c10::ParallelGuard isParallel(true);
    try {
      for (int64_t part = begin; part < end; ++part) body(part);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

/// Calls `body(part, first, length)` for parts that cover 0 ..< count, about equal in length.
template <typename Body>
void forEachPartOf(int64_t count, int64_t parts, const Body &body) {
  forEachPart(parts, [&](int64_t part) {
    const int64_t first = count * part / parts;
    body(part, first, count * (part + 1) / parts - first);
  });
}

inline std::vector<at::Tensor> slice(const std::vector<at::Tensor> &tensors, size_t begin, size_t end) {
  return {tensors.begin() + static_cast<int64_t>(begin), tensors.begin() + static_cast<int64_t>(end)};
}

/// Calls `body` for ranges that cover the tensors, with about equal numbers of elements. Once on a GPU, or without kernels of our own.
template <typename Body>
void forEachPart(const std::vector<at::Tensor> &tensors, const Body &body) {
  if (tensors.empty()) return;
  int64_t all = 0;
  for (const at::Tensor &tensor : tensors) all += tensor.numel();
  // With fewer elements, a further thread does not pay off.
  constexpr int64_t grain = 1 << 15;
  const int64_t most = isForOwnKernels(tensors[0]) ? std::min<int64_t>(4 * threads(), all / grain) : 1;
  std::vector<size_t> ends;
  int64_t seen = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    seen += tensors[i].numel();
    if (i + 1 == tensors.size() || seen * most >= all * static_cast<int64_t>(ends.size() + 1)) ends.push_back(i + 1);
  }
  forEachPart(static_cast<int64_t>(ends.size()), [&](int64_t part) {
    body(part == 0 ? 0 : ends[static_cast<size_t>(part - 1)], ends[static_cast<size_t>(part)]);
  });
}

/// Returns the results of an operator of libtorch that treats the images of a mini-batch apart, computed by parts of it.
template <typename Operator>
at::Tensor overImages(const at::Tensor &images, const Operator &compute) {
  // libtorch chooses another algorithm for a single image, and other threads have no autocast.
  const int64_t count = images.size(0), parts = std::min<int64_t>(threads(), count / 2);
  if (parts < 2 || at::autocast::is_autocast_enabled(at::kCPU)) return compute(images);
  at::Tensor results;
  std::once_flag isMade;
  forEachPartOf(count, parts, [&](int64_t, int64_t first, int64_t length) {
    const at::Tensor own = compute(images.narrow(0, first, length));
    std::call_once(isMade, [&] {
      std::vector<int64_t> sizes = own.sizes().vec();
      sizes[0] = count;
      results = at::empty(sizes, own.options().memory_format(own.suggest_memory_format()));
    });
    results.narrow(0, first, length).copy_(own);
  });
  return results;
}

/// Memory for floats that a kernel overwrites.
inline at::Tensor floats(int64_t count) { return at::empty({count}, at::kFloat); }

}  // namespace ctorch
