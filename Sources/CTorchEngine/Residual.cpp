#include <torch/csrc/autograd/custom_function.h>

#include "Guard.hpp"
#include "Parallel.hpp"

using ctorch::isForOwnKernels;
using ctorch::produce;

namespace {

constexpr int64_t floatsAtOnce = 1 << 14;

/// Returns a + b.
at::Tensor sumOf(const at::Tensor &a, const at::Tensor &b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  if (!isForOwnKernels(a) || !isForOwnKernels(b) || a.strides() != b.strides() || !a.is_non_overlapping_and_dense()) return a + b;
  const at::Tensor sum = at::empty_like(a);
  const float *first = a.data_ptr<float>(), *second = b.data_ptr<float>();
  float *values = sum.data_ptr<float>();
  ctorch::inParallel(a.numel(), floatsAtOnce, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) values[i] = first[i] + second[i];
  });
  return sum;
}

/// A tensor that two operators use. Their gradients are added by the team; autograd would add them on one thread.
struct Fork : torch::autograd::Function<Fork> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *context, const at::Tensor &x) {
    return {x.alias(), x.alias()};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    return {sumOf(gradients[0], gradients[1])};
  }
};

/// Every pixel of a grid, with zero channels before and after: [images][height][width][channels].
struct Subsampling : torch::autograd::Function<Subsampling> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &images, int64_t stride,
                            int64_t before, int64_t after) {
    const int64_t channels = images.size(1), height = images.size(2), width = images.size(3);
    for (const auto &[name, value] : {std::pair{"stride", stride}, {"before", before}, {"channels", channels},
                                      {"height", height}, {"width", width}})
      context->saved_data[name] = value;
    const int64_t down = (height + stride - 1) / stride, across = (width + stride - 1) / stride;
    const int64_t all = before + channels + after;
    const at::Tensor outputs = at::empty({images.size(0), all, down, across},
                                         images.options().memory_format(ctorch::channelsLast));
    const float *from = images.data_ptr<float>();
    float *to = outputs.data_ptr<float>();
    ctorch::inParallel(images.size(0) * down, std::max<int64_t>(1, floatsAtOnce / (across * all)),
                       [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float *source = from + (row / down * height + row % down * stride) * width * channels;
        for (int64_t x = 0; x < across; ++x) {
          float *pixel = to + (row * across + x) * all;
          std::fill_n(pixel, before, 0.0f);
          std::copy_n(source + x * stride * channels, channels, pixel + before);
          std::fill_n(pixel + before + channels, after, 0.0f);
        }
      }
    });
    return outputs;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto value = [&](const char *name) { return context->saved_data[name].toInt(); };
    const int64_t stride = value("stride"), before = value("before"), channels = value("channels");
    const int64_t height = value("height"), width = value("width");
    const at::Tensor gradient = gradients[0].contiguous(ctorch::channelsLast);
    const int64_t all = gradient.size(1), down = gradient.size(2), across = gradient.size(3);
    const at::Tensor result = at::empty({gradient.size(0), channels, height, width},
                                        gradient.options().memory_format(ctorch::channelsLast));
    const float *from = gradient.data_ptr<float>();
    float *to = result.data_ptr<float>();
    ctorch::inParallel(gradient.size(0) * height, std::max<int64_t>(1, floatsAtOnce / (width * channels)),
                       [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float *target = to + row * width * channels;
        std::fill_n(target, width * channels, 0.0f);
        const int64_t y = row % height;
        if (y % stride != 0) continue;
        const float *source = from + (row / height * down + y / stride) * across * all + before;
        for (int64_t x = 0; x < across; ++x) std::copy_n(source + x * all, channels, target + x * stride * channels);
      }
    });
    return {result, at::Tensor(), at::Tensor(), at::Tensor()};
  }

  static bool suits(const at::Tensor &images) {
    return isForOwnKernels(images) && images.dim() == 4 && images.numel() > 0 && images.is_contiguous(ctorch::channelsLast);
  }
};

}  // namespace

CTError *ct_fork(const CTTensor *input, CTTensor **outFirst, CTTensor **outSecond) {
  return ctorch::guard([&] {
    auto parts = input->value.requires_grad() && at::GradMode::is_enabled()
                     ? Fork::apply(input->value)
                     : torch::autograd::variable_list{input->value, input->value};
    auto first = std::make_unique<CTTensor>(parts[0]);
    *outSecond = new CTTensor(parts[1]);
    *outFirst = first.release();
  });
}

CTError *ct_subsample(const CTTensor *input, int64_t stride, int64_t before, int64_t after, CTTensor **out) {
  return produce(out, [&] {
    TORCH_CHECK(input->value.dim() == 4 && stride > 0 && before >= 0 && after >= 0, "subsample requires a batch of images");
    if (Subsampling::suits(input->value)) return Subsampling::apply(input->value, stride, before, after);
    const at::Tensor kept = at::slice(at::slice(input->value, 2, 0, std::nullopt, stride), 3, 0, std::nullopt, stride);
    return at::constant_pad_nd(kept, {0, 0, 0, 0, before, after});
  });
}
