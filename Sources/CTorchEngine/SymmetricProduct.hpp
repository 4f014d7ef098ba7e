#pragma once
// Products of matrices that are known to be symmetric: half of the elements are computed, and copied to the other half.

#include "PatchConvolution.hpp"

namespace ctorch::patches {

/// Copies the elements right of the diagonal of a square matrix to their mirror images.
inline void mirror(int64_t size, float *matrix) {
  // Squares of this size, so that the lines of the cache that a square reads and writes stay there.
  constexpr int64_t side = 16;
  inParallel((size + side - 1) / side, 4, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block)
      for (int64_t left = 0; left <= block * side; left += side)
        for (int64_t i = block * side; i < std::min(size, (block + 1) * side); ++i)
          for (int64_t j = left; j < std::min(i, left + side); ++j) matrix[i * size + j] = matrix[j * size + i];
  });
}

/// Computes the symmetric matrix a · bᵀ [rows][rows] of matrices [rows][depth].
inline void multiplySymmetric(int64_t rows, int64_t depth, const float *a, const float *b, float *product) {
  const Shape shape{rows, 1, 1, depth, rows, 1, 1, 0};
  const int64_t width = panelWidth(shape.paddedOutputs()), panels = shape.paddedOutputs() / width;
  const at::Tensor packed = floats(depth * shape.paddedOutputs());
  inParallel(shape.paddedOutputs() / 16, 1, [&](int64_t begin, int64_t end) {
    kernels()->packFilters(shape, b, begin, end, packed.data_ptr<float>());
  });
  // Short blocks of rows, since a block begins with a whole panel at the diagonal.
  const int64_t most = std::min<int64_t>(rowsInCache(depth), 48), scratchFloats = most * 64 + 16;
  const at::Tensor scratch = floats(threads() * scratchFloats);
  inParallel((rows + most - 1) / most, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const int64_t first = part * most;
      kernels()->convolve(shape, a, packed.data_ptr<float>(), first, std::min(most, rows - first), first / width, panels,
                          product, scratch.data_ptr<float>() + team::threadNumber() * scratchFloats);
    }
  });
  mirror(rows, product);
}

}  // namespace ctorch::patches
