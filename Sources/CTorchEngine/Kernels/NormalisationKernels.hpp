// Batch normalisation for one instruction set; see InstructionSets.hpp.

INLINE void addTo(double *sums, const Lanes &values) {
  for (int64_t lane = 0; lane < laneCount; ++lane) sums[lane] += values[lane];
}

/// Calls `body` for groups of 16 channels of each row, and accumulates its two sums.
template <typename Body>
INLINE void sumUp(int64_t channels, int64_t begin, int64_t end, double *first, double *second, const Body &body) {
  for (int64_t block = begin; block < end; block += rowsAtOnce) {
    const int64_t blockEnd = std::min(end, block + rowsAtOnce);
    for (int64_t c = 0; c < channels; c += laneCount) {
      // Two accumulators each, so that consecutive additions are independent.
      Lanes a[2] = {}, b[2] = {};
      int64_t row = block;
      for (; row + 2 <= blockEnd; row += 2) {
        body(row * channels + c, c, a[0], b[0]);
        body((row + 1) * channels + c, c, a[1], b[1]);
      }
      if (row < blockEnd) body(row * channels + c, c, a[0], b[0]);
      addTo(first + c, a[0] + a[1]);
      addTo(second + c, b[0] + b[1]);
    }
  }
}

static void moments(int64_t channels, const float *x, const float *origin, int64_t begin, int64_t end, double *sums,
                    double *squares) {
  sumUp(channels, begin, end, sums, squares, [&](int64_t place, int64_t c, Lanes &sum, Lanes &square)
        __attribute__((always_inline)) {
          const Lanes distance = load(x + place) - load(origin + c);
          sum += distance;
          square += distance * distance;
        });
}

/// ReLU; NaN is propagated, as in PyTorch.
INLINE Lanes rectified(const Lanes &value) { return value < 0.0f ? Lanes{} : value; }

template <bool HAS_ADDEND, bool RECTIFIES>
INLINE void normaliseRows(const Forward &f, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row)
    for (int64_t c = f.first, place = row * f.channels + c; c < f.last; c += laneCount, place += laneCount) {
      Lanes y = load(f.scale + c) * load(f.x + place) + load(f.shift + c);
      if (HAS_ADDEND) y += load(f.addend + place);
      store(f.y + place, RECTIFIES ? rectified(y) : y);
    }
}

static void normalise(const Forward &f, int64_t begin, int64_t end) {
  if (f.addend) return f.rectifies ? normaliseRows<true, true>(f, begin, end) : normaliseRows<true, false>(f, begin, end);
  return f.rectifies ? normaliseRows<false, true>(f, begin, end) : normaliseRows<false, false>(f, begin, end);
}

/// The gradient before the activation.
INLINE Lanes gradientBelow(const Backward &b, int64_t place, int64_t c, const Lanes &x) {
  const Lanes gradient = load(b.gradient + place);
  if (!b.rectifies) return gradient;
  const Lanes y = b.y ? load(b.y + place) : load(b.scale + c) * x + load(b.shift + c);
  return y > 0.0f ? gradient : Lanes{};
}

static void reduce(const Backward &b, int64_t begin, int64_t end, double *sums, double *products) {
  sumUp(b.channels, begin, end, sums, products, [&](int64_t place, int64_t c, Lanes &sum, Lanes &product)
        __attribute__((always_inline)) {
          const Lanes x = load(b.x + place), gradient = gradientBelow(b, place, c, x);
          if (b.addendGradient) store(b.addendGradient + place, gradient);
          sum += gradient;
          product += gradient * (x - load(b.mean + c));
        });
}

static void propagate(const Backward &b, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row)
    for (int64_t c = 0, place = row * b.channels; c < b.channels; c += laneCount, place += laneCount) {
      const Lanes x = load(b.x + place);
      const Lanes gradient = b.addendGradient ? load(b.addendGradient + place) : gradientBelow(b, place, c, x);
      store(b.xGradient + place, load(b.scale + c) * gradient + (load(b.slope + c) * x + load(b.offset + c)));
    }
}

static const Kernels table = {moments, normalise, reduce, propagate};
