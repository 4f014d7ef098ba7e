// Matrix products for one instruction set. Included by files of kernels, hence no #pragma once.

/// c[ROWS][16 · COLUMNS] = a · b, or += if the product accumulates.
template <int ROWS, int COLUMNS>
INLINE void block(const Product &p, const float *a, const float *b, float *c) {
  Lanes sums[ROWS][COLUMNS];
  UNROLLED for (int i = 0; i < ROWS; ++i)
    UNROLLED for (int j = 0; j < COLUMNS; ++j) sums[i][j] = Lanes{};
  for (int64_t depth = 0; depth < p.depth; ++depth, a += p.depthStep, b += p.width) {
    Lanes row[COLUMNS];
    UNROLLED for (int j = 0; j < COLUMNS; ++j) row[j] = load(b + laneCount * j);
    UNROLLED for (int i = 0; i < ROWS; ++i) {
      const float factor = a[i * p.rowStep];
      UNROLLED for (int j = 0; j < COLUMNS; ++j) sums[i][j] += factor * row[j];
    }
  }
  UNROLLED for (int i = 0; i < ROWS; ++i)
    UNROLLED for (int j = 0; j < COLUMNS; ++j) {
      float *place = c + i * p.columns + laneCount * j;
      store(place, p.accumulates ? load(place) + sums[i][j] : sums[i][j]);
    }
}

template <int ROWS, int COLUMNS>
INLINE void panel(const Product &p, const float *a, const float *b, float *c) {
  int64_t i = 0;
  for (; i + ROWS <= p.rows; i += ROWS) block<ROWS, COLUMNS>(p, a + i * p.rowStep, b, c + i * p.columns);
  for (; i + 4 <= p.rows; i += 4) block<4, COLUMNS>(p, a + i * p.rowStep, b, c + i * p.columns);
  for (; i < p.rows; ++i) block<1, COLUMNS>(p, a + i * p.rowStep, b, c + i * p.columns);
}

/// The columns of one panel of a product.
INLINE void multiplyPanel(const Product &p, const float *a, const float *b, float *c) {
  if (hasManyRegisters && p.width == 64) {
    panel<6, 4>(p, a, b, c);
  } else if (hasManyRegisters && p.width == 32) {
    panel<12, 2>(p, a, b, c);
  } else {
    panel<hasManyRegisters ? 16 : 6, 1>(p, a, b, c);
  }
}

static void multiply(const Product &p, const float *a, const float *b, float *c) {
  for (int64_t j = 0; j < p.columns; j += p.width, b += p.panelStep) multiplyPanel(p, a, b, c + j);
}
