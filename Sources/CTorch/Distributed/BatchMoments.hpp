#pragma once
// The mean and variance of each channel over the batches of all processes.

#include <torch/csrc/autograd/custom_function.h>

#include "Handles.hpp"

namespace ctorch {

using GroupPointer = c10::intrusive_ptr<c10d::ProcessGroup>;

struct BatchMoments {
  /// `[C]`, float32, on the device of the batch.
  at::Tensor mean, variance;
  /// Over how many values; infinite if these are running statistics, on which no value of the batch has an influence.
  double rows;
};

/// The moments from what each process knows of its own batch: `[2C + 1]`, float64, Σ x and Σ x² of each channel and the
/// number of rows, 0 where the batch is empty.
///
/// float64 leaves 53 bits for a difference of squares whose terms come from float32, and sums of any numbers of rows add
/// up to what one process would have found in all of them. A single row in all processes has no variance: then the
/// running statistics, as in BatchNorm2d.
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

/// Moves the running statistics towards those of a batch, with the unbiased variance.
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

/// Batch normalisation in training, with the moments of all processes, of any batch on any device.
at::Tensor synchronisedNorm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                            const at::Tensor &runningMean, const at::Tensor &runningVariance, double momentum,
                            double epsilon, const GroupPointer &group);

}  // namespace ctorch
