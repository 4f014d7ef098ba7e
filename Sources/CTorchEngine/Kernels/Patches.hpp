#pragma once
// Convolutions as products of matrices over patches (im2col), for all sizes and strides that Winograd's algorithm does not cover,
// and linear layers, which are convolutions of single pixels.
//
// Every sum is in an order that depends on the shape alone, and not on the number of threads.

#include <cstdint>

#include "Product.hpp"

namespace ctorch::patches {

/// The number of columns of a matrix: a multiple of 16, and with AVX-512 of 32 above that, since narrow panels are slow there.
inline int64_t paddedColumns(int64_t count) {
  const int64_t step = hasAVX512() && count > 16 ? 32 : 16;
  return (count + step - 1) / step * step;
}

/// Images are [images][height][width][inputs], filters [outputs][size][size][inputs], both contiguous.
struct Shape {
  int64_t images, height, width, inputs, outputs;
  int64_t size, stride, padding;

  int64_t down() const { return (height + 2 * padding - size) / stride + 1; }
  int64_t across() const { return (width + 2 * padding - size) / stride + 1; }
  /// The number of pixels of the output.
  int64_t pixels() const { return images * down() * across(); }
  /// The number of values of a patch, and of a filter.
  int64_t depth() const { return size * size * inputs; }
  /// Whether patches are pixels, so that the images are a matrix of patches already.
  bool arePixels() const { return size == 1 && stride == 1 && padding == 0; }
  int64_t paddedDepth() const { return paddedColumns(depth()); }
  int64_t paddedOutputs() const { return paddedColumns(outputs); }
};

/// The number of filters whose gradients a thread computes at once.
constexpr int64_t filtersAtOnce = 48;

/// The functions for an instruction set. Each processes a range, so that ranges can be distributed over threads.
struct Kernels {
  /// Writes the filters begin ..< end of every 16 as columns of panels: [outputs / width][depth][width], with zeros up to
  /// paddedOutputs.
  void (*packFilters)(const Shape &shape, const float *filters, int64_t begin, int64_t end, float *packed);
  /// Computes the pixels first ..< first + count of the outputs in the panels begin ..< end. `scratch` has count · depth floats
  /// if patches are not pixels, and 64 · count more, at least 16.
  void (*convolve)(const Shape &shape, const float *images, const float *packed, int64_t first, int64_t count,
                   int64_t begin, int64_t end, float *outputs, float *scratch);
  /// Writes the filters as rows of panels: [paddedDepth / width][outputs][width], for the panels begin ..< end.
  void (*packTransposed)(const Shape &shape, const float *filters, int64_t begin, int64_t end, float *packed);
  /// Computes the gradient of the pixels first ..< first + count in the panels begin ..< end, of images whose patches are
  /// pixels. `scratch` has 64 · count floats.
  void (*spreadPixels)(const Shape &shape, const float *gradient, const float *packed, int64_t first, int64_t count,
                       int64_t begin, int64_t end, float *images, float *scratch);
  /// Computes the gradient of one image. `scratch` has rowsAtOnce · paddedDepth floats.
  void (*spread)(const Shape &shape, const float *gradient, const float *packed, int64_t image, int64_t rowsAtOnce,
                 float *images, float *scratch);
  /// Writes the patches of the pixels first + begin ..< first + end as panels [paddedDepth / width][count][width].
  void (*gather)(const Shape &shape, const float *images, int64_t first, int64_t count, int64_t begin, int64_t end,
                 float *panels);
  /// Does so for all `count` pixels. `panels` has paddedDepth + 16 floats more.
  void (*gatherAll)(const Shape &shape, const float *images, int64_t first, int64_t count, float *panels);
  /// Copies the gradients of the pixels first + begin ..< first + end to [outputs / filtersAtOnce][count][filtersAtOnce].
  void (*splitGradient)(const Shape &shape, const float *gradient, int64_t first, int64_t count, int64_t begin,
                        int64_t end, float *parts);
  /// Sets the gradient [filters][paddedDepth] of filters in the panels begin ..< end, or adds to it, over `count` pixels. The
  /// gradients of a pixel are adjacent, and `step` floats after those of the one before.
  void (*correlate)(const Shape &shape, const float *gradient, int64_t step, int64_t filters, const float *panels,
                    int64_t count, int64_t begin, int64_t end, bool accumulates, float *sum);
};

/// Returns the functions for this processor; `nullptr` if there are none.
const Kernels *kernels();

}  // namespace ctorch::patches
