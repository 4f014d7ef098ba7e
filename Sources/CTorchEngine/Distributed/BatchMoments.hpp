#pragma once
// The mean and variance of each channel over the batches of all processes.

#include <torch/csrc/autograd/custom_function.h>

#include "Handles.hpp"

namespace ctorch {

using GroupPointer = c10::intrusive_ptr<c10d::ProcessGroup>;

struct BatchMoments {
  /// `[C]`, float32, on the device of the batch.
  at::Tensor mean, variance;
  /// The number of values per channel; infinite for running statistics, which do not depend on the batch.
  double rows;
};

/// Returns the moments over all processes from the sums of each: `[2C + 1]`, float64, with Σ x and Σ x² of each channel and
/// the number of rows, which is 0 for an empty batch.
///
/// float64 has enough bits for the difference of squares of float32 values. Sums over unequal numbers of rows add up to
/// those of a single process. A single row over all processes has no variance; then the running statistics are used, as in
/// BatchNorm2d.
inline BatchMoments momentsOver(c10d::ProcessGroup &group, at::Tensor sums, const at::Tensor &runningMean,
                                const at::Tensor &runningVariance) {
  sumOver(group, sums);
  const int64_t channels = runningMean.numel();
  const double rows = sums[2 * channels].item<double>();
  if (rows <= 1) return {runningMean.clone(), runningVariance.clone(), std::numeric_limits<double>::infinity()};
  const at::Tensor mean = sums.narrow(0, 0, channels) / rows;
  const at::Tensor variance = (sums.narrow(0, channels, channels) / rows - mean * mean).clamp_min_(0);
  return {mean.to(at::kFloat), variance.to(at::kFloat), rows};
}

/// Updates the running statistics with those of a batch, using the unbiased variance.
inline void moveTowards(const BatchMoments &batch, double momentum, at::Tensor runningMean, at::Tensor runningVariance) {
  if (std::isinf(batch.rows)) return;
  runningMean.mul_(1 - momentum).add_(batch.mean, momentum);
  runningVariance.mul_(1 - momentum).add_(batch.variance, momentum * batch.rows / (batch.rows - 1));
}

inline c10::IValue kept(const GroupPointer &group) {
  return group ? c10::IValue::make_capsule(group) : c10::IValue();
}

inline GroupPointer groupOf(const c10::IValue &kept) {
  return kept.isNone() ? GroupPointer() : c10::static_intrusive_pointer_cast<c10d::ProcessGroup>(kept.toCapsule());
}

/// Batch normalisation in training with the moments over all processes, for any batch on any device.
at::Tensor synchronisedNorm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                            const at::Tensor &runningMean, const at::Tensor &runningVariance, double momentum,
                            double epsilon, const GroupPointer &group);

}  // namespace ctorch
