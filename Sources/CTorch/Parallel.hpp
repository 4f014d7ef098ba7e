#pragma once
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

namespace ctorch {

/// Calls `body` for ranges that make up 0 ..< count, on libtorch's threads: at least `grain` for each but the last.
///
/// at::parallel_for is a template whose OpenMP pragmas count for nothing in a file that is compiled without OpenMP, and
/// clang's OpenMP has other threads than libtorch's. An iterator over one byte for each index shares them out within
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

}  // namespace ctorch
