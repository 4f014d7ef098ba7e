#include "Distributed/BatchMoments.hpp"
#include "Kernels/Normalisation.hpp"
#include "NormFactors.hpp"
#include "Parallel.hpp"

using ctorch::BatchMoments;
using ctorch::channelsLast;
using ctorch::GroupPointer;
using ctorch::inParallel;
using ctorch::isForOwnKernels;
using ctorch::optionalValue;
using ctorch::produce;
namespace normalisation = ctorch::normalisation;

namespace {

/// The minimum number of floats per thread; with fewer, a further thread does not pay off.
constexpr int64_t grain = 1 << 14;

/// Computes two sums per channel over all rows, as sums over parts of them that depend on the shape alone. So the result does not
/// depend on the number of threads.
template <typename Body>
std::vector<double> sumUp(int64_t channels, int64_t rows, const Body &body) {
  const int64_t parts = std::clamp<int64_t>(rows * channels / grain, 1, 64);
  std::vector<double> sums(static_cast<size_t>(parts * 2 * channels));
  inParallel(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      double *own = sums.data() + part * 2 * channels;
      body(rows * part / parts, rows * (part + 1) / parts, own, own + channels);
    }
  });
  for (int64_t part = 1; part < parts; ++part)
    for (int64_t i = 0; i < 2 * channels; ++i) sums[i] += sums[part * 2 * channels + i];
  return sums;
}

template <typename Body>
void forEachRow(int64_t channels, int64_t rows, const Body &body) {
  inParallel(rows, std::max<int64_t>(1, grain / channels), body);
}

const float *valuesOf(const at::Tensor &tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

/// Returns the moments of the batch or, if there is a group, over all its processes.
BatchMoments moments(const at::Tensor &x, const at::Tensor &runningMean, const at::Tensor &runningVariance,
                     const GroupPointer &group) {
  const int64_t channels = x.size(1), rows = x.numel() / channels;
  const float *values = x.data_ptr<float>();
  // Moments relative to the first pixel, which is a typical value, avoid cancellation.
  const auto sums = sumUp(channels, rows, [&](int64_t begin, int64_t end, double *sum, double *square) {
    normalisation::kernels()->moments(channels, values, values, begin, end, sum, square);
  });
  if (group) {
    at::Tensor about0 = at::empty({2 * channels + 1}, at::kDouble);
    double *whole = about0.data_ptr<double>();
    for (int64_t c = 0; c < channels; ++c) {
      const double origin = values[c];
      whole[c] = sums[c] + rows * origin;
      whole[channels + c] = sums[channels + c] + origin * (2 * sums[c] + rows * origin);
    }
    whole[2 * channels] = static_cast<double>(rows);
    return ctorch::momentsOver(*group, about0, runningMean, runningVariance);
  }
  BatchMoments result{at::empty({channels}, x.options()), at::empty({channels}, x.options()),
                      static_cast<double>(rows)};
  for (int64_t c = 0; c < channels; ++c) {
    const double mean = sums[c] / rows;
    result.mean.data_ptr<float>()[c] = static_cast<float>(values[c] + mean);
    result.variance.data_ptr<float>()[c] =
        static_cast<float>(std::max(0.0, sums[channels + c] / rows - mean * mean));
  }
  return result;
}

at::Tensor normalised(const at::Tensor &x, const at::Tensor &addend, const at::Tensor &scale, const at::Tensor &shift,
                      bool rectifies) {
  const at::Tensor y = at::empty_like(x);
  const normalisation::Forward forward{x.size(1), 0, x.size(1), x.data_ptr<float>(), valuesOf(addend), scale.data_ptr<float>(),
                                       shift.data_ptr<float>(), rectifies, y.data_ptr<float>()};
  forEachRow(x.size(1), x.numel() / x.size(1), [&](int64_t begin, int64_t end) {
    normalisation::kernels()->normalise(forward, begin, end);
  });
  return y;
}

struct FusedNormalisation : torch::autograd::Function<FusedNormalisation> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const at::Tensor &bias, const std::optional<at::Tensor> &residual, at::Tensor runningMean,
                            at::Tensor runningVariance, double momentum, double epsilon, bool rectifies,
                            GroupPointer group) {
    const at::Tensor addend = residual.value_or(at::Tensor());
    const BatchMoments batch = moments(x, runningMean, runningVariance, group);
    ctorch::moveTowards(batch, momentum, runningMean, runningVariance);
    const at::Tensor inverse = (batch.variance + epsilon).rsqrt_();
    const at::Tensor scale = weight * inverse, shift = bias - batch.mean * scale;
    const at::Tensor y = normalised(x, addend, scale, shift, rectifies);
    const at::Tensor mask = rectifies && addend.defined() ? y : at::Tensor();
    context->save_for_backward({x, scale, shift, batch.mean, inverse, mask});
    context->saved_data["rectifies"] = rectifies;
    context->saved_data["adds"] = addend.defined();
    context->saved_data["rows"] = batch.rows;
    context->saved_data["group"] = ctorch::kept(group);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &scale = saved[1], &shift = saved[2], &mean = saved[3], &inverse = saved[4];
    const at::Tensor gradient = gradients[0].contiguous(channelsLast);
    const bool rectifies = context->saved_data["rectifies"].toBool(), adds = context->saved_data["adds"].toBool();
    const int64_t channels = x.size(1), rows = x.numel() / channels;
    const double allRows = context->saved_data["rows"].toDouble();
    const auto group = ctorch::groupOf(context->saved_data["group"]);
    // Without an activation, the gradient of the addend is `gradient`.
    const at::Tensor addendGradient = adds && rectifies ? at::empty_like(x) : at::Tensor();
    const at::Tensor xGradient = at::empty_like(x), slope = at::empty_like(scale), offset = at::empty_like(scale);
    const normalisation::Backward backward{
        channels, x.data_ptr<float>(), gradient.data_ptr<float>(), valuesOf(saved[5]), rectifies,
        scale.data_ptr<float>(), shift.data_ptr<float>(), mean.data_ptr<float>(),
        addendGradient.defined() ? addendGradient.data_ptr<float>() : nullptr, slope.data_ptr<float>(),
        offset.data_ptr<float>(), xGradient.data_ptr<float>()};
    const auto sums = sumUp(channels, rows, [&](int64_t begin, int64_t end, double *sum, double *product) {
      normalisation::kernels()->reduce(backward, begin, end, sum, product);
    });
    // The gradients of the parameters are those of this process's batch; the gradient of x depends on the sums over all.
    const at::Tensor all = at::tensor(sums, at::kDouble).narrow(0, 0, 2 * channels);
    if (group) ctorch::sumOver(*group, all);
    const double *allSums = all.data_ptr<double>();
    const at::Tensor weightGradient = at::empty_like(scale), biasGradient = at::empty_like(scale);
    for (int64_t c = 0; c < channels; ++c) {
      const double factor = scale.data_ptr<float>()[c], inverseDeviation = inverse.data_ptr<float>()[c];
      const double tilt = -factor * inverseDeviation * inverseDeviation * allSums[channels + c] / allRows;
      slope.data_ptr<float>()[c] = static_cast<float>(tilt);
      offset.data_ptr<float>()[c] = static_cast<float>(-factor * allSums[c] / allRows - tilt * mean.data_ptr<float>()[c]);
      weightGradient.data_ptr<float>()[c] = static_cast<float>(sums[channels + c] * inverseDeviation);
      biasGradient.data_ptr<float>()[c] = static_cast<float>(sums[c]);
    }
    forEachRow(channels, rows, [&](int64_t begin, int64_t end) {
      normalisation::kernels()->propagate(backward, begin, end);
    });
    const at::Tensor none, ofAddend = !adds ? none : rectifies ? addendGradient : gradient;
    return {xGradient, weightGradient, biasGradient, ofAddend, none, none, none, none, none, none};
  }
};

/// Whether the fused CPU kernels are applicable.
bool suitsKernels(const at::Tensor &x, const at::Tensor &addend, const at::Tensor &weight, const at::Tensor &bias) {
  return normalisation::kernels() && isForOwnKernels(x) && isForOwnKernels(weight) && isForOwnKernels(bias) && x.dim() == 4 &&
         x.numel() > 0 && x.size(1) % 16 == 0 && weight.sizes() == at::IntArrayRef{x.size(1)} &&
         bias.sizes() == weight.sizes() && x.is_contiguous(channelsLast) &&
         (!addend.defined() ||
          (isForOwnKernels(addend) && addend.sizes() == x.sizes() && addend.is_contiguous(channelsLast)));
}

}  // namespace

CTError *ct_batch_norm(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, CTTensor *runningMean,
                       CTTensor *runningVariance, const CTTensor *addend, bool rectifies, bool training,
                       double momentum, double epsilon, const CTProcessGroup *group, CTTensor **out) {
  return produce(out, [&] {
    const GroupPointer others = group && training ? group->value : GroupPointer();
    const at::Tensor &x = input->value, &scale = weight->value, &shift = bias->value;
    const at::Tensor added = addend ? addend->value : at::Tensor();
    const at::Tensor &mean = runningMean->value, &variance = runningVariance->value;
    if (suitsKernels(x, added, scale, shift)) {
      if (training) {
        TORCH_CHECK(mean.sizes() == scale.sizes() && variance.sizes() == scale.sizes() && (others || x.numel() > x.size(1)),
                    "batch normalisation in training requires more than one value per channel and running statistics per channel");
        return FusedNormalisation::apply(x, scale, shift, optionalValue(addend), mean, variance, momentum, epsilon,
                                         rectifies, others);
      }
      if (!at::GradMode::is_enabled()) {
        const auto [factor, offset] = ctorch::normFactors(scale, shift, mean, variance, epsilon);
        return normalised(x, added, factor, offset, rectifies);
      }
    }
    ctorch::useThreadsOfLibtorch();
    at::Tensor y = others ? ctorch::synchronisedNorm(x, scale, shift, mean, variance, momentum, epsilon, others)
                          : at::batch_norm(x, scale, shift, mean, variance, training, momentum, epsilon,
                                           /*cudnn_enabled=*/true);
    if (added.defined()) y = y.add_(added);
    return rectifies ? y.relu_() : y;
  });
}
