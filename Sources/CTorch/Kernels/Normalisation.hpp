#pragma once
// Batch normalisation with what follows it in a residual network, an addition and max(x, 0), in few passes over memory.
// Rows are pixels, [rows][channels] without gaps, channels a multiple of 16.

#include <cstdint>

namespace ctorch::normalisation {

/// y = activation(scale · x + shift + addend).
struct Forward {
  int64_t channels;
  const float *x;
  /// Another image to add; may be null.
  const float *addend;
  const float *scale, *shift;
  bool rectifies;
  float *y;
};

/// The sums that the backward pass needs over all rows, and its result.
struct Backward {
  int64_t channels;
  const float *x;
  /// The gradient of y.
  const float *gradient;
  /// Where y was rectified: by y itself if there was an addend, otherwise by scale · x + shift; `y` is then null.
  const float *y;
  bool rectifies;
  const float *scale, *shift, *mean;
  /// Where the gradient of the addend goes, which is the gradient before the activation; null if there is none.
  float *addendGradient;
  /// The gradient of x is scale · g + slope · x + offset, g being the gradient before the activation.
  const float *slope, *offset;
  float *xGradient;
};

/// The functions for one instruction set; all work on the rows begin ..< end.
struct Kernels {
  /// Σ (x − origin) and Σ (x − origin)² of each channel, added to `sums` and `squares`.
  void (*moments)(int64_t channels, const float *x, const float *origin, int64_t begin, int64_t end, double *sums,
                  double *squares);
  void (*normalise)(const Forward &forward, int64_t begin, int64_t end);
  /// Σ g and Σ g · (x − mean), added to the sums; writes `addendGradient`.
  void (*reduce)(const Backward &backward, int64_t begin, int64_t end, double *sums, double *products);
  /// Writes `xGradient`.
  void (*propagate)(const Backward &backward, int64_t begin, int64_t end);
};

/// The functions for this machine; `nullptr` if it has none.
const Kernels *kernels();

}  // namespace ctorch::normalisation
