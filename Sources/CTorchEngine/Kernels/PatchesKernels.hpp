// Convolutions over patches for one instruction set; see InstructionSets.hpp.

#include "Multiply.hpp"
#include "Transpose.hpp"

/// The columns of the panels begin ..< end of a · b, of any depth, for the rows of `a` with adjacent values. `c` has `columns`
/// columns, and b zeros beyond them.
static void multiplyPanels(int64_t rows, int64_t columns, int64_t depth, int64_t width, int64_t begin, int64_t end,
                           const float *a, const float *b, float *c, float *scratch) {
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t column = panel * width, length = std::min(width, columns - column);
    float *results = length < width ? scratch : c + column;
    Product p{rows, length < width ? width : columns, 0, depth, 1, width, 0, false};
    // In parts, so that a part of the panel stays in the cache while the rows pass by.
    for (int64_t start = 0; start < depth; start += depthAtOnce) {
      p.depth = std::min(depthAtOnce, depth - start);
      p.accumulates = start > 0;
      multiplyPanel(p, a + start, b + (panel * depth + start) * width, results);
    }
    if (length < width)
      for (int64_t i = 0; i < rows; ++i)
        std::memcpy(c + i * columns + column, scratch + i * width, sizeof(float) * length);
  }
}

/// A pixel of the output. Advancing it takes no division, which would take longer than copying a small patch.
struct Pixel {
  int64_t image, top, left;  // the first row and column of its patch, which can be outside of the image

  static Pixel at(const Shape &shape, int64_t index) {
    const int64_t across = shape.across(), each = across * shape.down();
    return {index / each, index / across % shape.down() * shape.stride - shape.padding,
            index % across * shape.stride - shape.padding};
  }

  void advance(const Shape &shape) {
    left += shape.stride;
    if (left + shape.size <= shape.width + shape.padding) return;
    left = -shape.padding;
    top += shape.stride;
    if (top + shape.size <= shape.height + shape.padding) return;
    top = -shape.padding;
    ++image;
  }
};

/// Calls `body(place, source, count)` for each run of `count` values of a patch that are adjacent in the image; `source` is the
/// offset in the images, or -1 outside of the image.
template <typename Body>
INLINE void forEachRun(const Shape &shape, const Pixel &pixel, const Body &body) {
  const int64_t run = shape.size * shape.inputs;
  const int64_t before = std::clamp<int64_t>(-pixel.left, 0, shape.size) * shape.inputs;
  const int64_t after = std::clamp<int64_t>(pixel.left + shape.size - shape.width, 0, shape.size) * shape.inputs;
  for (int64_t row = 0; row < shape.size; ++row) {
    const int64_t y = pixel.top + row, place = row * run;
    if (y < 0 || y >= shape.height || before + after >= run) {
      body(place, -1, run);
      continue;
    }
    const int64_t source = ((pixel.image * shape.height + y) * shape.width + pixel.left) * shape.inputs;
    if (before > 0) body(place, -1, before);
    body(place + before, source + before, run - before - after);
    if (after > 0) body(place + run - after, -1, after);
  }
}

static void packFilters(const Shape &shape, const float *filters, int64_t begin, int64_t end, float *packed) {
  const int64_t depth = shape.depth(), width = panelWidth(shape.paddedOutputs());
  for (int64_t group = begin; group < end; ++group) {
    const int64_t k = group * laneCount, count = std::min(laneCount, shape.outputs - k);
    float *columns = packed + k / width * depth * width + k % width;
    int64_t d = 0;
    for (; count == laneCount && d + laneCount <= depth; d += laneCount) {
      Lanes rows[laneCount];
      UNROLLED for (int i = 0; i < laneCount; ++i) rows[i] = load(filters + (k + i) * depth + d);
      transpose(rows);
      UNROLLED for (int i = 0; i < laneCount; ++i) store(columns + (d + i) * width, rows[i]);
    }
    for (; d < depth; ++d)
      for (int64_t i = 0; i < laneCount; ++i) columns[d * width + i] = i < count ? filters[(k + i) * depth + d] : 0;
  }
}

/// Copies `count` values of a patch, which can be zeros. The values after the destination may be overwritten.
INLINE void copyRun(float *to, const float *images, int64_t source, int64_t count, int64_t available) {
  if (source < 0) {
    for (int64_t i = 0; i < count; i += laneCount) store(to + i, Lanes{});
  } else if (source + (count + laneCount - 1) / laneCount * laneCount <= available) {
    for (int64_t i = 0; i < count; i += laneCount) store(to + i, load(images + source + i));
  } else {
    std::memcpy(to, images + source, sizeof(float) * count);
  }
}

/// Writes a patch to `depth` adjacent values, and may overwrite the 15 after them.
INLINE void copyPatch(const Shape &shape, const float *images, const Pixel &pixel, float *to) {
  const int64_t available = shape.images * shape.height * shape.width * shape.inputs;
  const int64_t run = shape.size * shape.inputs, step = shape.width * shape.inputs;
  if (pixel.top >= 0 && pixel.left >= 0 && pixel.top + shape.size <= shape.height && pixel.left + shape.size <= shape.width) {
    const int64_t source = ((pixel.image * shape.height + pixel.top) * shape.width + pixel.left) * shape.inputs;
    if (source + (shape.size - 1) * step + (run + laneCount - 1) / laneCount * laneCount <= available) {
      for (int64_t row = 0; row < shape.size; ++row)
        for (int64_t i = 0; i < run; i += laneCount)
          store(to + row * run + i, load(images + source + row * step + i));
      return;
    }
  }
  forEachRun(shape, pixel, [&](int64_t place, int64_t source, int64_t length) {
    copyRun(to + place, images, source, length, available);
  });
}

static void convolve(const Shape &shape, const float *images, const float *packed, int64_t first, int64_t count,
                     int64_t begin, int64_t end, float *outputs, float *scratch) {
  const int64_t depth = shape.depth();
  const float *patches = images + first * depth;
  if (!shape.arePixels()) {
    Pixel pixel = Pixel::at(shape, first);
    for (int64_t i = 0; i < count; ++i, pixel.advance(shape)) copyPatch(shape, images, pixel, scratch + i * depth);
    patches = scratch;
    scratch += count * depth;
  }
  multiplyPanels(count, shape.outputs, depth, panelWidth(shape.paddedOutputs()), begin, end, patches, packed,
                 outputs + first * shape.outputs, scratch);
}

static void packTransposed(const Shape &shape, const float *filters, int64_t begin, int64_t end, float *packed) {
  const int64_t depth = shape.depth(), width = panelWidth(shape.paddedDepth());
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t column = panel * width, length = std::clamp<int64_t>(depth - column, 0, width);
    for (int64_t k = 0; k < shape.outputs; ++k) {
      float *row = packed + (panel * shape.outputs + k) * width;
      std::memcpy(row, filters + k * depth + column, sizeof(float) * length);
      std::memset(row + length, 0, sizeof(float) * (width - length));
    }
  }
}

static void spreadPixels(const Shape &shape, const float *gradient, const float *packed, int64_t first, int64_t count,
                         int64_t begin, int64_t end, float *images, float *scratch) {
  multiplyPanels(count, shape.depth(), shape.outputs, panelWidth(shape.paddedDepth()), begin, end,
                 gradient + first * shape.outputs, packed, images + first * shape.depth(), scratch);
}

INLINE void add(float *to, const float *from, int64_t count) {
  int64_t i = 0;
  for (; i + laneCount <= count; i += laneCount) store(to + i, load(to + i) + load(from + i));
  for (; i < count; ++i) to[i] += from[i];
}

static void spread(const Shape &shape, const float *gradient, const float *packed, int64_t image, int64_t rowsAtOnce,
                   float *images, float *scratch) {
  const int64_t each = shape.down() * shape.across(), imageFloats = shape.height * shape.width * shape.inputs;
  const int64_t columns = shape.paddedDepth(), width = panelWidth(columns);
  std::memset(images + image * imageFloats, 0, sizeof(float) * imageFloats);
  for (int64_t start = 0; start < each; start += rowsAtOnce) {
    const int64_t first = image * each + start, count = std::min(rowsAtOnce, each - start);
    multiplyPanels(count, columns, shape.outputs, width, 0, columns / width, gradient + first * shape.outputs, packed,
                   scratch, nullptr);
    Pixel pixel = Pixel::at(shape, first);
    for (int64_t i = 0; i < count; ++i, pixel.advance(shape)) {
      const float *patch = scratch + i * columns;
      forEachRun(shape, pixel, [&](int64_t place, int64_t source, int64_t length) {
        if (source >= 0) add(images + source, patch + place, length);
      });
    }
  }
}

static void gather(const Shape &shape, const float *images, int64_t first, int64_t count, int64_t begin, int64_t end,
                   float *panels) {
  const int64_t depth = shape.depth(), columns = shape.paddedDepth(), width = panelWidth(columns);
  // Copies values of a row of the matrix of patches to their panels.
  const auto put = [&](int64_t row, int64_t place, const float *values, int64_t length) {
    while (length > 0) {
      const int64_t within = place % width, part = std::min(length, width - within);
      float *to = panels + (place / width * count + row) * width + within;
      // Most parts are sixteen floats; a call of memcpy would take longer than the copy.
      if (part == laneCount) {
        store(to, values ? load(values) : Lanes{});
      } else if (values) {
        std::memcpy(to, values, sizeof(float) * part);
      } else {
        std::memset(to, 0, sizeof(float) * part);
      }
      if (values) values += part;
      place += part;
      length -= part;
    }
  };
  Pixel pixel = Pixel::at(shape, first + begin);
  for (int64_t i = begin; i < end; ++i, pixel.advance(shape)) {
    forEachRun(shape, pixel, [&](int64_t place, int64_t source, int64_t length) {
      put(i, place, source < 0 ? nullptr : images + source, length);
    });
    put(i, depth, nullptr, columns - depth);
  }
}

static void gatherAll(const Shape &shape, const float *images, int64_t first, int64_t count, float *panels) {
  const int64_t depth = shape.depth(), columns = shape.paddedDepth();
  const int64_t width = panelWidth(columns);
  Pixel pixel = Pixel::at(shape, first);
  for (int64_t i = 0; i < count; ++i, pixel.advance(shape)) {
    // The patches are the rows of a single panel. Otherwise each is divided among the panels as a whole: its runs can be short.
    float *row = panels + (width == columns ? i : count) * columns;
    copyPatch(shape, images, pixel, row);
    for (int64_t d = depth; d < columns; ++d) row[d] = 0;
    for (int64_t c = 0; width < columns && c < columns; c += laneCount)
      store(panels + (c / width * count + i) * width + c % width, load(row + c));
  }
}

static void splitGradient(const Shape &shape, const float *gradient, int64_t first, int64_t count, int64_t begin,
                          int64_t end, float *parts) {
  for (int64_t i = begin; i < end; ++i)
    for (int64_t k = 0; k < shape.outputs; k += filtersAtOnce)
      std::memcpy(parts + k * count + i * filtersAtOnce, gradient + (first + i) * shape.outputs + k,
                  sizeof(float) * std::min(filtersAtOnce, shape.outputs - k));
}

static void correlate(const Shape &shape, const float *gradient, int64_t step, int64_t filters, const float *panels,
                      int64_t count, int64_t begin, int64_t end, bool accumulates, float *sum) {
  const int64_t columns = shape.paddedDepth(), width = panelWidth(columns);
  const Product product{filters, columns, count, 1, step, width, 0, accumulates};
  for (int64_t panel = begin; panel < end; ++panel)
    multiplyPanel(product, gradient, panels + panel * count * width, sum + panel * width);
}

static const Kernels table = {packFilters, convolve, packTransposed, spreadPixels, spread,
                              gather,      gatherAll, splitGradient, correlate};
