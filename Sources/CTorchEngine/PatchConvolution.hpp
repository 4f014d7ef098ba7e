#pragma once
// Convolutions and linear layers over patches (Kernels/Patches.hpp), distributed over threads.

#include "Epilogue.hpp"
#include "Kernels/Patches.hpp"
#include "Parallel.hpp"
#include "PreparedWeights.hpp"

namespace ctorch::patches {

/// Distributes rows and panels over the threads: panels too if there are few rows. Elements are computed alone, so the result does
/// not depend on it.
template <typename Body>
void overRowsAndPanels(int64_t rows, int64_t most, int64_t panels, bool dividesPanels, const Body &body) {
  const int64_t threads = ctorch::threads(), parts = (rows + most - 1) / most;
  const int64_t columns = dividesPanels ? std::min(panels, std::max<int64_t>(1, 4 * threads / parts)) : 1;
  inParallel(parts * columns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      // Adjacent tasks have the same panels.
      const int64_t column = task / parts, first = task % parts * most;
      body(first, std::min(most, rows - first), panels * column / columns, panels * (column + 1) / columns);
    }
  });
}

/// The number of rows of `depth` floats that fit into the cache of a core, with a share of a panel.
inline int64_t rowsInCache(int64_t depth) { return std::clamp<int64_t>((1 << 15) / depth / 12 * 12, 24, 192); }

/// Returns the filters as columns of panels.
inline at::Tensor packed(const Shape &shape, const at::Tensor &filters) {
  return prepared(filters, Form::panels, [&] {
    const at::Tensor panels = floats(shape.depth() * shape.paddedOutputs());
    inParallel(shape.paddedOutputs() / 16, 1, [&](int64_t begin, int64_t end) {
      kernels()->packFilters(shape, filters.data_ptr<float>(), begin, end, panels.data_ptr<float>());
    });
    return panels;
  });
}

/// Computes outputs [pixels][outputs], and the epilogue while they are in the cache.
inline void convolve(const Shape &shape, const float *images, const at::Tensor &filters, float *outputs,
                     const Epilogue &epilogue = {}) {
  const int64_t width = panelWidth(shape.paddedOutputs()), panels = shape.paddedOutputs() / width;
  const at::Tensor columns = packed(shape, filters);
  const int64_t most = rowsInCache(shape.depth()), scratchFloats = most * (shape.depth() + 64) + 16;
  const at::Tensor scratch = floats(ctorch::threads() * scratchFloats);
  overRowsAndPanels(shape.pixels(), most, panels, shape.arePixels(),
                    [&](int64_t first, int64_t count, int64_t begin, int64_t end) {
    kernels()->convolve(shape, images, columns.data_ptr<float>(), first, count, begin, end, outputs,
                        scratch.data_ptr<float>() + team::threadNumber() * scratchFloats);
    if (!epilogue.isEmpty()) epilogue.apply(outputs, first, first + count, begin * width, end * width);
  });
}

/// Computes the gradient of the images.
inline void spread(const Shape &shape, const float *gradient, const float *filters, float *images) {
  const int64_t columns = shape.paddedDepth(), panels = columns / panelWidth(columns);
  const at::Tensor packed = floats(shape.outputs * columns);
  inParallel(panels, 1, [&](int64_t begin, int64_t end) {
    kernels()->packTransposed(shape, filters, begin, end, packed.data_ptr<float>());
  });
  const float *values = packed.data_ptr<float>();
  if (shape.arePixels()) {
    const int64_t most = rowsInCache(shape.outputs), scratchFloats = most * 64;
    const at::Tensor scratch = floats(ctorch::threads() * scratchFloats);
    overRowsAndPanels(shape.pixels(), most, panels, true, [&](int64_t first, int64_t count, int64_t begin, int64_t end) {
      kernels()->spreadPixels(shape, gradient, values, first, count, begin, end, images,
                              scratch.data_ptr<float>() + team::threadNumber() * scratchFloats);
    });
    return;
  }
  const int64_t most = rowsInCache(columns), scratchFloats = most * columns;
  const at::Tensor scratch = floats(ctorch::threads() * scratchFloats);
  inParallel(shape.images, 1, [&](int64_t begin, int64_t end) {
    float *own = scratch.data_ptr<float>() + team::threadNumber() * scratchFloats;
    for (int64_t image = begin; image < end; ++image)
      kernels()->spread(shape, gradient, values, image, most, images, own);
  });
}

/// Computes the gradient [outputs][paddedDepth] of few filters: a fixed number of sums over parts of the pixels, which are added.
inline void sumOfParts(const Shape &shape, const float *images, const float *gradient, float *sum) {
  const int64_t pixels = shape.pixels(), columns = shape.paddedDepth(), panels = columns / panelWidth(columns);
  const int64_t most = std::clamp<int64_t>((1 << 15) / columns / 8 * 8, 64, 512), parts = (pixels + most - 1) / most;
  // By the shape alone, so that the order of the sums does not depend on the threads.
  const int64_t sharers = std::min<int64_t>(parts, 16), sumFloats = shape.outputs * columns;
  // The gradients of few filters are adjacent already.
  const int64_t groups = (shape.outputs + filtersAtOnce - 1) / filtersAtOnce, step = groups > 1 ? filtersAtOnce : shape.outputs;
  const int64_t patchFloats = (most + 1) * columns + 16, scratchFloats = patchFloats + most * groups * filtersAtOnce;
  const at::Tensor sums = floats(sharers * sumFloats), scratch = floats(ctorch::threads() * scratchFloats);
  inParallel(sharers, 1, [&](int64_t begin, int64_t end) {
    float *patches = scratch.data_ptr<float>() + team::threadNumber() * scratchFloats;
    for (int64_t sharer = begin; sharer < end; ++sharer) {
      const int64_t start = parts * sharer / sharers, stop = parts * (sharer + 1) / sharers;
      for (int64_t part = start; part < stop; ++part) {
        const int64_t first = part * most, count = std::min(most, pixels - first);
        kernels()->gatherAll(shape, images, first, count, patches);
        const float *ofPart = gradient + first * shape.outputs;
        if (groups > 1) {
          kernels()->splitGradient(shape, gradient, first, count, 0, count, patches + patchFloats);
          ofPart = patches + patchFloats;
        }
        for (int64_t from = 0; from < shape.outputs; from += filtersAtOnce)
          kernels()->correlate(shape, ofPart + from * count, step, std::min(filtersAtOnce, shape.outputs - from), patches, count, 0,
                               panels, part > start, sums.data_ptr<float>() + sharer * sumFloats + from * columns);
      }
    }
  });
  const float *all = sums.data_ptr<float>();
  std::copy_n(all, sumFloats, sum);
  for (int64_t sharer = 1; sharer < sharers; ++sharer)
    for (int64_t i = 0; i < sumFloats; ++i) sum[i] += all[sharer * sumFloats + i];
}

/// Computes the gradient [outputs][paddedDepth] of many filters: each thread has a part of them, so that there is a single sum.
inline void sumByFilter(const Shape &shape, const float *images, const float *gradient, float *sum) {
  const int64_t pixels = shape.pixels(), columns = shape.paddedDepth(), panels = columns / panelWidth(columns);
  const int64_t most = std::min<int64_t>(pixels, 512), groups = (shape.outputs + filtersAtOnce - 1) / filtersAtOnce;
  const at::Tensor patches = floats(most * columns), parts = floats(most * groups * filtersAtOnce);
  for (int64_t first = 0; first < pixels; first += most) {
    const int64_t count = std::min(most, pixels - first);
    inParallel(count, 8, [&](int64_t begin, int64_t end) {
      kernels()->gather(shape, images, first, count, begin, end, patches.data_ptr<float>());
      kernels()->splitGradient(shape, gradient, first, count, begin, end, parts.data_ptr<float>());
    });
    inParallel(groups * panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t panel = task / groups, from = task % groups * filtersAtOnce;
        kernels()->correlate(shape, parts.data_ptr<float>() + from * count, filtersAtOnce,
                             std::min(filtersAtOnce, shape.outputs - from), patches.data_ptr<float>(), count, panel,
                             panel + 1, first > 0, sum + from * columns);
      }
    });
  }
}

/// Computes the gradient of the filters [outputs][depth].
inline void correlate(const Shape &shape, const float *images, const float *gradient, float *filters) {
  const int64_t columns = shape.paddedDepth(), depth = shape.depth(), count = shape.outputs * columns;
  const at::Tensor padded = depth == columns ? at::Tensor() : floats(count);
  float *sum = padded.defined() ? padded.data_ptr<float>() : filters;
  count <= 1 << 15 ? sumOfParts(shape, images, gradient, sum) : sumByFilter(shape, images, gradient, sum);
  for (int64_t k = 0; k < shape.outputs && sum != filters; ++k)
    std::copy_n(sum + k * columns, depth, filters + k * depth);
}

}  // namespace ctorch::patches
