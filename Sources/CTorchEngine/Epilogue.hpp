#pragma once
// Batch normalisation in evaluation, in place, directly after a convolution without gradients.

#include "Kernels/Normalisation.hpp"
#include "Parallel.hpp"

namespace ctorch {

/// y = activation(scale · y + shift + addend) of pixels y, rows of channels; nothing if there is no scale.
struct Epilogue {
  at::Tensor scale, shift, addend;
  bool rectifies = false;

  bool isEmpty() const { return !scale.defined(); }

  /// Computes the channels first ..< last of the rows begin ..< end.
  void apply(float *y, int64_t begin, int64_t end, int64_t first, int64_t last) const {
    const float *added = addend.defined() ? addend.data_ptr<float>() : nullptr;
    normalisation::kernels()->normalise(
        {scale.numel(), first, std::min(last, scale.numel()), y, added, scale.data_ptr<float>(), shift.data_ptr<float>(),
         rectifies, y},
        begin, end);
  }

  /// Computes all rows, distributed over the threads.
  void applyInParallel(const at::Tensor &y) const {
    const int64_t channels = scale.numel();
    float *values = y.data_ptr<float>();
    inParallel(y.numel() / channels, std::max<int64_t>(1, (1 << 14) / channels),
               [&](int64_t begin, int64_t end) { apply(values, begin, end, 0, channels); });
  }
};

}  // namespace ctorch
