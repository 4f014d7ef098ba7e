#include "BatchMoments.hpp"

namespace {

using ctorch::BatchMoments;
using ctorch::GroupPointer;

/// Returns all dimensions except the channels.
std::vector<int64_t> rowDimensions(const at::Tensor &x) {
  std::vector<int64_t> result{0};
  for (int64_t i = 2; i < x.dim(); ++i) result.push_back(i);
  return result;
}

/// Reshapes a value per channel so that it broadcasts over x.
at::Tensor across(const at::Tensor &x, const at::Tensor &perChannel) {
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[1] = perChannel.numel();
  return perChannel.to(at::kFloat).view(shape);
}

/// Returns the sums of this process for the moments.
at::Tensor localSums(const at::Tensor &narrow) {
  const at::Tensor x = narrow.to(at::kFloat);
  const int64_t channels = x.size(1);
  const at::Tensor sums = at::zeros({2 * channels + 1}, x.options().dtype(at::kDouble).memory_format(at::MemoryFormat::Contiguous));
  if (x.numel() == 0) return sums;
  const double rows = static_cast<double>(x.numel() / channels);
  const auto [localVariance, localMean] = at::var_mean(x, rowDimensions(x), /*correction=*/0, /*keepdim=*/false);
  const at::Tensor mean = localMean.to(at::kDouble), variance = localVariance.to(at::kDouble);
  sums.narrow(0, 0, channels).copy_(mean * rows);
  sums.narrow(0, channels, channels).copy_((variance + mean * mean) * rows);
  sums[2 * channels].fill_(rows);
  return sums;
}

struct SynchronisedNorm : torch::autograd::Function<SynchronisedNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const at::Tensor &bias, const at::Tensor &mean, const at::Tensor &inverse, double rows,
                            GroupPointer group) {
    context->save_for_backward({x, weight, mean, inverse});
    context->saved_data["rows"] = rows;
    context->saved_data["group"] = ctorch::kept(group);
    const at::Tensor scale = weight * inverse;
    // Computed in float32 even if x has fewer bits, as in mixed precision.
    return (x.to(at::kFloat) * across(x, scale) + across(x, bias - mean * scale)).to(x.scalar_type());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor x = saved[0].to(at::kFloat), gradient = gradients[0].to(at::kFloat);
    const at::Tensor &weight = saved[1], &mean = saved[2], &inverse = saved[3];
    const double rows = context->saved_data["rows"].toDouble();
    const auto group = ctorch::groupOf(context->saved_data["group"]);
    const int64_t channels = x.size(1);
    const at::Tensor sum = gradient.sum(rowDimensions(x));
    const at::Tensor product = (gradient * (x - across(x, mean))).sum(rowDimensions(x));
    at::Tensor sums = at::cat({sum, product}).to(at::kDouble);
    ctorch::sumOver(*group, sums);
    // y = scale · x + shift, and mean and variance depend on each x: Ioffe and Szegedy 2015, section 3.
    const at::Tensor scale = weight * inverse;
    const at::Tensor tilt = scale * inverse.square() * sums.narrow(0, channels, channels).div(rows);
    const at::Tensor offset = scale * sums.narrow(0, 0, channels).div(rows) - tilt * mean;
    const at::Tensor xGradient = gradient * across(x, scale) - x * across(x, tilt) - across(x, offset);
    const at::Tensor none;
    return {xGradient.to(saved[0].scalar_type()), product * inverse, sum, none, none, none, none};
  }
};

}  // namespace

at::Tensor ctorch::synchronisedNorm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                                    const at::Tensor &runningMean, const at::Tensor &runningVariance, double momentum,
                                    double epsilon, const GroupPointer &group) {
  at::Tensor inverse;
  BatchMoments batch;
  {
    c10::NoGradGuard noGradient;
    batch = momentsOver(*group, localSums(x), runningMean, runningVariance);
    moveTowards(batch, momentum, runningMean, runningVariance);
    inverse = (batch.variance + epsilon).rsqrt_();
  }
  return SynchronisedNorm::apply(x, weight, bias, batch.mean, inverse, batch.rows, group);
}
