#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "Guard.hpp"
#include "PatchConvolution.hpp"

using ctorch::guard;
using ctorch::optionalValue;
using ctorch::produce;

namespace {

/// A linear layer as a convolution of single pixels: the sums of libtorch's products depend on the number of threads.
struct PatchLinear : torch::autograd::Function<PatchLinear> {
  static bool suits(const at::Tensor &x, const at::Tensor &weight) {
    return ctorch::patches::kernels() && !at::autocast::is_autocast_enabled(at::kCPU) && ctorch::isForOwnKernels(x) &&
           ctorch::isForOwnKernels(weight) && x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && x.numel() > 0 &&
           weight.numel() > 0 && x.is_contiguous() && weight.is_contiguous();
  }

  static ctorch::patches::Shape shapeOf(const at::Tensor &x, const at::Tensor &weight) {
    return {x.size(0), 1, 1, x.size(1), weight.size(0), 1, 1, 0};
  }

  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const std::optional<at::Tensor> &bias) {
    context->save_for_backward({x, weight});
    context->saved_data["hasBias"] = bias.has_value();
    const at::Tensor y = at::empty({x.size(0), weight.size(0)}, x.options());
    ctorch::patches::convolve(shapeOf(x, weight), x.data_ptr<float>(), weight, y.data_ptr<float>());
    return bias ? y.add_(*bias) : y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], gradient = gradients[0].contiguous();
    const auto shape = shapeOf(x, weight);
    at::Tensor ofX, ofWeight, ofBias;
    if (context->needs_input_grad(0)) {
      ofX = at::empty_like(x);
      ctorch::patches::spread(shape, gradient.data_ptr<float>(), weight.data_ptr<float>(), ofX.data_ptr<float>());
    }
    if (context->needs_input_grad(1)) {
      ofWeight = at::empty_like(weight);
      ctorch::patches::correlate(shape, x.data_ptr<float>(), gradient.data_ptr<float>(), ofWeight.data_ptr<float>());
    }
    // A missing bias has no place in the graph that could be asked for.
    if (context->saved_data["hasBias"].toBool() && context->needs_input_grad(2)) ofBias = gradient.sum(0);
    return {ofX, ofWeight, ofBias};
  }
};

/// Max pooling by parts of the mini-batch.
struct MaxPooling : torch::autograd::Function<MaxPooling> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &images, int64_t size,
                            int64_t stride, int64_t padding) {
    const int64_t count = images.size(0), parts = partsOf(images);
    std::vector<at::Tensor> outputs(static_cast<size_t>(parts)), places(static_cast<size_t>(parts));
    ctorch::forEachPartOf(count, parts, [&](int64_t part, int64_t first, int64_t length) {
      std::tie(outputs[part], places[part]) = at::max_pool2d_with_indices(
          images.narrow(0, first, length), {size, size}, {stride, stride}, {padding, padding});
    });
    context->save_for_backward({images, joined(places)});
    for (const auto &[name, value] : {std::pair{"size", size}, {"stride", stride}, {"padding", padding}})
      context->saved_data[name] = value;
    return joined(outputs);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto value = [&](const char *name) { return context->saved_data[name].toInt(); };
    const int64_t size = value("size"), stride = value("stride"), padding = value("padding");
    const int64_t count = saved[0].size(0), parts = partsOf(saved[0]);
    std::vector<at::Tensor> results(static_cast<size_t>(parts));
    ctorch::forEachPartOf(count, parts, [&](int64_t part, int64_t first, int64_t length) {
      results[part] = at::max_pool2d_with_indices_backward(
          gradients[0].narrow(0, first, length), saved[0].narrow(0, first, length), {size, size}, {stride, stride},
          {padding, padding}, {1, 1}, /*ceil_mode=*/false, saved[1].narrow(0, first, length));
    });
    return {joined(results), at::Tensor(), at::Tensor(), at::Tensor()};
  }

  static bool suits(const at::Tensor &images) {
    return ctorch::isForOwnKernels(images) && images.dim() == 4 && images.numel() > 0;
  }

 private:
  /// The parts in one tensor; a single part is not copied.
  static at::Tensor joined(const std::vector<at::Tensor> &parts) { return parts.size() == 1 ? parts[0] : at::cat(parts); }

  static int64_t partsOf(const at::Tensor &images) { return std::min<int64_t>(ctorch::threads(), images.size(0)); }
};

}  // namespace

CTError *ct_linear(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, CTTensor **out) {
  return produce(out, [&] {
    if (PatchLinear::suits(input->value, weight->value))
      return PatchLinear::apply(input->value, weight->value, optionalValue(bias));
    ctorch::useThreadsOfLibtorch();
    return at::linear(input->value, weight->value, optionalValue(bias));
  });
}

CTError *ct_relu(const CTTensor *input, CTTensor **out) {
  return produce(out, [&] { return at::relu(input->value); });
}

CTError *ct_relu_in_place(CTTensor *input) {
  return guard([&] { at::relu_(input->value); });
}

CTError *ct_max_pool2d(const CTTensor *input, int64_t size, int64_t stride, int64_t padding, CTTensor **out) {
  return produce(out, [&] {
    if (MaxPooling::suits(input->value)) return MaxPooling::apply(input->value, size, stride, padding);
    return at::max_pool2d(input->value, {size, size}, {stride, stride}, {padding, padding});
  });
}

CTError *ct_adaptive_average_pool2d(const CTTensor *input, int64_t height, int64_t width, CTTensor **out) {
  return produce(out, [&] { return at::adaptive_avg_pool2d(input->value, {height, width}); });
}
