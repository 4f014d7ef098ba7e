#pragma once
// Batch normalisation fused with the addition and the ReLU that follow it in a residual network.
// Rows are pixels: [rows][channels], contiguous, with a multiple of 16 channels.

#include <cstdint>

namespace ctorch::normalisation {

/// y = activation(scale · x + shift + addend), for the channels first ..< last of rows of `channels`. y can be x.
struct Forward {
  int64_t channels, first, last;
  const float *x;
  /// The addend; may be null.
  const float *addend;
  const float *scale, *shift;
  bool rectifies;
  float *y;
};

/// Inputs and results of the backward pass.
struct Backward {
  int64_t channels;
  const float *x;
  /// The gradient of y.
  const float *gradient;
  /// The output, which determines where ReLU was active. Null without an addend: then scale · x + shift determines it.
  const float *y;
  bool rectifies;
  const float *scale, *shift, *mean;
  /// Receives the gradient of the addend, which is the gradient before the activation; null if there is no addend.
  float *addendGradient;
  /// The gradient of x is scale · g + slope · x + offset, g being the gradient before the activation.
  const float *slope, *offset;
  float *xGradient;
};

/// The functions for an instruction set; each processes the rows begin ..< end.
struct Kernels {
  /// Adds Σ (x − origin) and Σ (x − origin)² of each channel to `sums` and `squares`.
  void (*moments)(int64_t channels, const float *x, const float *origin, int64_t begin, int64_t end, double *sums,
                  double *squares);
  void (*normalise)(const Forward &forward, int64_t begin, int64_t end);
  /// Adds Σ g and Σ g · (x − mean) to the sums, and writes `addendGradient`.
  void (*reduce)(const Backward &backward, int64_t begin, int64_t end, double *sums, double *products);
  /// Writes `xGradient`.
  void (*propagate)(const Backward &backward, int64_t begin, int64_t end);
};

/// Returns the functions for this processor; `nullptr` if there are none.
const Kernels *kernels();

}  // namespace ctorch::normalisation
