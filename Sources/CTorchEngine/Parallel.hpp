#pragma once
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

namespace ctorch {

/// Calls `body` on libtorch's threads for ranges that cover 0 ..< count, each but the last with at least `grain` indices.
///
/// at::parallel_for is a template, so its OpenMP pragmas have no effect in a file compiled without OpenMP, and clang's OpenMP
/// runtime has other threads than libtorch's. Instead, an iterator over one byte per index distributes the ranges inside
/// libtorch.
template <typename Body>
void inParallel(int64_t count, int64_t grain, const Body &body) {
  if (count <= grain || at::get_num_threads() == 1 || at::in_parallel_region()) {
    if (count > 0) body(0, count);
    return;
  }
  const at::Tensor places = at::empty({count}, at::kByte);
  const char *first = static_cast<const char *>(places.const_data_ptr());
  at::TensorIterator::borrowing_nullary_op(places).for_each(
      [&](char **data, const int64_t *, int64_t length) {
        const int64_t begin = data[0] - first;
        body(begin, begin + length);
      },
      grain);
}

/// Memory for floats that a kernel overwrites.
inline at::Tensor floats(int64_t count) { return at::empty({count}, at::kFloat); }

}  // namespace ctorch
