#pragma once
// 3x3 convolutions with stride 1 and padding 1 by Winograd's minimal filtering F(4x4, 3x3). For each pair of channels, a tile
// of 4x4 outputs takes 36 multiplications, in 36 matrix products, instead of 144.
//
// Source: Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks". In float32 the relative error is
// about 1e-6 to 5e-6, compared with 2e-7 to 1e-6 for a direct convolution.

#include <cstdint>

#include "Product.hpp"

namespace ctorch::winograd {

/// Images are [images][height][width][channels], filters [outputs][3][3][inputs], both contiguous.
struct Shape {
  int64_t images, height, width;
  int64_t inputs, outputs;  // channels, multiples of 16

  int64_t tiles() const { return images * ((height + 3) / 4) * ((width + 3) / 4); }
  /// The number of floats of all transformed filters.
  int64_t filterFloats() const { return 36 * inputs * outputs; }
};

/// Transformed tiles: a matrix of tiles and channels for each of the 36 frequencies, in rows or in panels of columns.
struct Spectrum {
  float *values;
  int64_t frequencyStep, tileStep, panelStep;
  int64_t width;  // columns of a panel

  /// One row per tile.
  static Spectrum rows(float *values, int64_t tiles, int64_t channels) {
    return {values, stride(tiles, channels), channels, 0, channels};
  }
  /// Panels with one row per tile, as required for the right operand of a product.
  static Spectrum panels(float *values, int64_t tiles, int64_t channels) {
    const int64_t width = panelWidth(channels);
    return {values, stride(tiles, channels), width, tiles * width, width};
  }
  static int64_t floats(int64_t tiles, int64_t channels) { return 36 * stride(tiles, channels); }

 private:
  /// Slightly more than the matrix, so that the 36 values of an element are not in the same set of the cache.
  static int64_t stride(int64_t tiles, int64_t channels) { return tiles * channels + 16; }
};

/// The functions for an instruction set. Each processes a range, so that ranges can be distributed over threads.
struct Kernels {
  /// Transforms the filters of the output channels 16 · begin ..< 16 · end. For the gradient of the images, inputs and outputs
  /// are exchanged and the filters rotated by 180 degrees.
  void (*transformFilters)(const Shape &shape, const float *filters, bool forGradient, int64_t begin, int64_t end,
                           float *transformed);
  /// Convolves the tiles first ..< first + count. `scratch` has Spectrum::floats of the inputs plus those of the outputs.
  void (*convolve)(const Shape &shape, const float *images, const float *transformed, float *outputs, int64_t first,
                   int64_t count, float *scratch);
  /// Transforms tiles of the images and of the gradient of the outputs.
  void (*gather)(const Shape &shape, const float *images, const float *gradient, int64_t first, int64_t count,
                 const Spectrum &fromImages, const Spectrum &fromGradient);
  /// Sets the gradient of the filters at one frequency, [outputs][inputs], or adds to it.
  void (*correlate)(const Shape &shape, const Spectrum &fromImages, const Spectrum &fromGradient, int64_t count,
                    int64_t frequency, bool accumulates, float *spectrum);
  /// Transforms the sum of `count` gradients back, for the output channels begin ..< end.
  void (*collectFilters)(const Shape &shape, const float *spectra, int64_t count, int64_t begin, int64_t end,
                         float *filters);
};

/// Returns the functions for this processor; `nullptr` if there are none.
const Kernels *kernels();

}  // namespace ctorch::winograd
