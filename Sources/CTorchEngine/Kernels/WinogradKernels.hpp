// Winograd's F(4x4, 3x3) for one instruction set; see InstructionSets.hpp.

#include "Multiply.hpp"
#include "Transpose.hpp"

// MARK: The one-dimensional transforms of F(4, 3)

INLINE void inputTransform(const Lanes d[6], Lanes out[6]) {
  const Lanes a = d[4] - 4.0f * d[2], b = d[3] - 4.0f * d[1], e = d[4] - d[2], f = 2.0f * (d[3] - d[1]);
  out[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
  out[1] = a + b;
  out[2] = a - b;
  out[3] = e + f;
  out[4] = e - f;
  out[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

INLINE void outputTransform(const Lanes m[6], Lanes out[4]) {
  const Lanes a = m[1] + m[2], b = m[1] - m[2], e = m[3] + m[4], f = m[3] - m[4];
  out[0] = m[0] + a + e;
  out[1] = b + 2.0f * f;
  out[2] = a + 4.0f * e;
  out[3] = b + 8.0f * f + m[5];
}

/// The transpose of `outputTransform`.
INLINE void outputSpread(const Lanes g[4], Lanes out[6]) {
  const Lanes a = g[0] + g[2], b = g[1] + g[3], e = g[0] + 4.0f * g[2], f = 2.0f * g[1] + 8.0f * g[3];
  out[0] = g[0];
  out[1] = a + b;
  out[2] = a - b;
  out[3] = e + f;
  out[4] = e - f;
  out[5] = g[3];
}

INLINE void weightTransform(const Lanes g[3], Lanes out[6]) {
  const Lanes a = (-1.0f / 6) * (g[0] + g[2]), b = (1.0f / 24) * g[0] + (1.0f / 6) * g[2];
  out[0] = 0.25f * g[0];
  out[1] = a - (1.0f / 6) * g[1];
  out[2] = a + (1.0f / 6) * g[1];
  out[3] = b + (1.0f / 12) * g[1];
  out[4] = b - (1.0f / 12) * g[1];
  out[5] = g[2];
}

/// The transpose of `weightTransform`.
INLINE void weightCollect(const Lanes u[6], Lanes out[3]) {
  const Lanes a = u[1] + u[2], b = u[2] - u[1], e = u[3] + u[4], f = u[3] - u[4];
  out[0] = 0.25f * u[0] - (1.0f / 6) * a + (1.0f / 24) * e;
  out[1] = (1.0f / 6) * b + (1.0f / 12) * f;
  out[2] = (-1.0f / 6) * a + (1.0f / 6) * e + u[5];
}

// MARK: Tiles

INLINE Tile tileAt(const Shape &shape, int64_t index) {
  const int64_t across = (shape.width + 3) / 4, down = (shape.height + 3) / 4;
  return {index / (across * down), index / across % down * 4, index % across * 4};
}

/// Transforms `count` tiles of 6x6 inputs, which start one pixel above and left of the outputs, or of 4x4 outputs.
template <int SIDE>
INLINE void gatherTiles(const Shape &shape, const float *pixels, int64_t channels, int64_t first, int64_t count,
                        const Spectrum &to) {
  constexpr int64_t margin = SIDE == 6 ? 1 : 0;
  for (int64_t t = 0; t < count; ++t) {
    const Tile tile = tileAt(shape, first + t);
    const int64_t top = tile.top - margin, left = tile.left - margin;
    const float *image = pixels + tile.image * shape.height * shape.width * channels;
    const bool isInside = top >= 0 && left >= 0 && top + SIDE <= shape.height && left + SIDE <= shape.width;
    for (int64_t c = 0; c < channels; c += laneCount) {
      Lanes half[SIDE][6];
      UNROLLED for (int r = 0; r < SIDE; ++r) {
        Lanes d[SIDE];
        if (isInside) {
          const float *row = image + ((top + r) * shape.width + left) * channels + c;
          UNROLLED for (int q = 0; q < SIDE; ++q) d[q] = load(row + q * channels);
        } else {
          UNROLLED for (int q = 0; q < SIDE; ++q) {
            const int64_t y = top + r, x = left + q;
            d[q] = y >= 0 && y < shape.height && x >= 0 && x < shape.width
                       ? load(image + (y * shape.width + x) * channels + c)
                       : Lanes{};
          }
        }
        if constexpr (SIDE == 6) inputTransform(d, half[r]);
        else outputSpread(d, half[r]);
      }
      float *place = to.values + c / to.width * to.panelStep + t * to.tileStep + c % to.width;
      UNROLLED for (int q = 0; q < 6; ++q) {
        Lanes d[SIDE], out[6];
        UNROLLED for (int r = 0; r < SIDE; ++r) d[r] = half[r][q];
        if constexpr (SIDE == 6) inputTransform(d, out);
        else outputSpread(d, out);
        UNROLLED for (int r = 0; r < 6; ++r) store(place + (6 * r + q) * to.frequencyStep, out[r]);
      }
    }
  }
}

/// Transforms `count` tiles back and writes their 4x4 pixels.
static void scatterTiles(const Shape &shape, const Spectrum &from, int64_t channels, int64_t first, int64_t count,
                         float *pixels) {
  for (int64_t t = 0; t < count; ++t) {
    const Tile tile = tileAt(shape, first + t);
    float *image = pixels + tile.image * shape.height * shape.width * channels;
    const int64_t rows = std::min<int64_t>(4, shape.height - tile.top);
    const int64_t columns = std::min<int64_t>(4, shape.width - tile.left);
    for (int64_t k = 0; k < channels; k += laneCount) {
      const float *place = from.values + t * from.tileStep + k;
      Lanes half[4][6];
      UNROLLED for (int q = 0; q < 6; ++q) {
        Lanes m[6], out[4];
        UNROLLED for (int r = 0; r < 6; ++r) m[r] = load(place + (6 * r + q) * from.frequencyStep);
        outputTransform(m, out);
        UNROLLED for (int r = 0; r < 4; ++r) half[r][q] = out[r];
      }
      UNROLLED for (int r = 0; r < 4; ++r) {
        Lanes out[4];
        outputTransform(half[r], out);
        if (r < rows) {
          float *row = image + ((tile.top + r) * shape.width + tile.left) * channels + k;
          UNROLLED for (int q = 0; q < 4; ++q)
            if (q < columns) store(row + q * channels, out[q]);
        }
      }
    }
  }
}

// MARK: Filters

/// Transforms 16 input channels of a filter: 3x3 → 6x6.
INLINE void transformFilter(const float *filter, int64_t inputs, bool isTurned, Lanes out[6][6]) {
  Lanes half[3][6];
  UNROLLED for (int r = 0; r < 3; ++r) {
    Lanes g[3];
    UNROLLED for (int q = 0; q < 3; ++q) g[q] = load(filter + (isTurned ? 8 - 3 * r - q : 3 * r + q) * inputs);
    weightTransform(g, half[r]);
  }
  UNROLLED for (int q = 0; q < 6; ++q) {
    Lanes g[3], column[6];
    UNROLLED for (int r = 0; r < 3; ++r) g[r] = half[r][q];
    weightTransform(g, column);
    UNROLLED for (int r = 0; r < 6; ++r) out[r][q] = column[r];
  }
}

static void transformFilters(const Shape &shape, const float *filters, bool forGradient, int64_t begin,
                             int64_t end, float *spectrum) {
  const int64_t inputs = shape.inputs, outputs = shape.outputs;
  const int64_t depth = forGradient ? outputs : inputs, columns = forGradient ? inputs : outputs;
  const int64_t width = panelWidth(columns), frequencyStep = depth * columns;
  for (int64_t group = begin; group < end; ++group) {
    const int64_t k = group * laneCount;
    for (int64_t c = 0; c < inputs; c += laneCount) {
      Lanes parts[laneCount][6][6];
      for (int i = 0; i < laneCount; ++i)
        transformFilter(filters + (k + i) * 9 * inputs + c, inputs, forGradient, parts[i]);
      for (int f = 0; f < frequencies; ++f) {
        Lanes rows[laneCount];
        UNROLLED for (int i = 0; i < laneCount; ++i) rows[i] = parts[i][f / 6][f % 6];
        if (!forGradient) transpose(rows);
        const int64_t row = forGradient ? k : c, column = forGradient ? c : k;
        float *place = spectrum + f * frequencyStep + column / width * depth * width + row * width + column % width;
        UNROLLED for (int i = 0; i < laneCount; ++i) store(place + i * width, rows[i]);
      }
    }
  }
}

static void collectFilters(const Shape &shape, const float *spectra, int64_t count, int64_t begin, int64_t end,
                           float *filters) {
  const int64_t inputs = shape.inputs, frequencyStep = inputs * shape.outputs;
  for (int64_t k = begin; k < end; ++k)
    for (int64_t c = 0; c < inputs; c += laneCount) {
      Lanes half[3][6];
      UNROLLED for (int q = 0; q < 6; ++q) {
        Lanes u[6], out[3];
        UNROLLED for (int r = 0; r < 6; ++r) {
          const float *place = spectra + (6 * r + q) * frequencyStep + k * inputs + c;
          u[r] = load(place);
          for (int64_t i = 1; i < count; ++i) u[r] += load(place + i * frequencies * frequencyStep);
        }
        weightCollect(u, out);
        UNROLLED for (int r = 0; r < 3; ++r) half[r][q] = out[r];
      }
      UNROLLED for (int r = 0; r < 3; ++r) {
        Lanes out[3];
        weightCollect(half[r], out);
        UNROLLED for (int q = 0; q < 3; ++q) store(filters + (k * 9 + 3 * r + q) * inputs + c, out[q]);
      }
    }
}

// MARK: Entry points

static void convolve(const Shape &shape, const float *images, const float *transformed, float *outputs, int64_t first,
                     int64_t count, float *scratch) {
  const Spectrum in = Spectrum::rows(scratch, count, shape.inputs);
  const Spectrum out =
      Spectrum::rows(scratch + Spectrum::floats(count, shape.inputs), count, shape.outputs);
  gatherTiles<6>(shape, images, shape.inputs, first, count, in);
  const int64_t width = panelWidth(shape.outputs);
  const Product product{count, shape.outputs, shape.inputs, shape.inputs, 1, width, shape.inputs * width, false};
  for (int64_t f = 0; f < frequencies; ++f)
    multiply(product, in.values + f * in.frequencyStep, transformed + f * shape.inputs * shape.outputs,
             out.values + f * out.frequencyStep);
  scatterTiles(shape, out, shape.outputs, first, count, outputs);
}

static void gather(const Shape &shape, const float *images, const float *gradient, int64_t first, int64_t count,
                   const Spectrum &fromImages, const Spectrum &fromGradient) {
  gatherTiles<6>(shape, images, shape.inputs, first, count, fromImages);
  gatherTiles<4>(shape, gradient, shape.outputs, first, count, fromGradient);
}

static void correlate(const Shape &shape, const Spectrum &fromImages, const Spectrum &fromGradient, int64_t count,
                      int64_t frequency, bool accumulates, float *spectrum) {
  const Product product{shape.outputs, shape.inputs, count, 1, shape.outputs, fromImages.width, count * fromImages.width,
                        accumulates};
  multiply(product, fromGradient.values + frequency * fromGradient.frequencyStep,
           fromImages.values + frequency * fromImages.frequencyStep,
           spectrum + frequency * shape.inputs * shape.outputs);
}

static const Kernels table = {transformFilters, convolve, gather, correlate, collectFilters};
