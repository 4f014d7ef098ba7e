#include "Guard.hpp"
#include "Parallel.hpp"

using ctorch::guard;
using ctorch::produce;
using ctorch::slice;

namespace {
/// Whether two tensors of the same shape have the same memory layout; the stride of a dimension of size 1 does not matter.
bool sameLayout(const at::Tensor &a, const at::Tensor &b) {
  for (int64_t i = 0; i < a.dim(); ++i)
    if (a.size(i) > 1 && a.stride(i) != b.stride(i)) return false;
  return true;
}
}  // namespace

bool ct_requires_gradient(const CTTensor *tensor) { return tensor->value.requires_grad(); }

CTError *ct_set_requires_gradient(CTTensor *tensor, bool value) {
  return guard([&] { tensor->value.set_requires_grad(value); });
}

CTError *ct_detach(const CTTensor *tensor, CTTensor **out) {
  return produce(out, [&] { return tensor->value.detach(); });
}

CTError *ct_gradient(const CTTensor *tensor, CTTensor **out) {
  return guard([&] {
    const at::Tensor gradient = tensor->value.grad();
    if (gradient.defined()) *out = new CTTensor(gradient);
  });
}

CTError *ct_clear_gradient(CTTensor *tensor) {
  return guard([&] { tensor->value.mutable_grad().reset(); });
}

CTError *ct_backward(const CTTensor *scalar) {
  return guard([&] { scalar->value.backward(); });
}

CTError *ct_sgd_step(const CTTensor *const *parameters, const CTTensor *const *momentumBuffers, int64_t count,
                     double learningRate, const CTTensor *heldLearningRate, double momentum, double weightDecay,
                     bool nesterov) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    std::vector<at::Tensor> updated, gradients, buffers;
    for (int64_t i = 0; i < count; ++i) {
      const at::Tensor &parameter = parameters[i]->value;
      const at::Tensor &buffer = momentumBuffers[i]->value;
      at::Tensor gradient = parameter.grad();
      // As in torch.optim, a parameter without a gradient is not changed, nor is its momentum.
      if (!gradient.defined()) continue;
      TORCH_CHECK(sameLayout(buffer, parameter), "a momentum buffer has another memory layout than its parameter");
      // The fused kernel ignores strides, so all three tensors must have the same layout. Autograd normally gives gradients
      // the layout of their parameters; otherwise they are copied.
      if (!sameLayout(gradient, parameter)) gradient = at::empty_like(parameter).copy_(gradient);
      updated.push_back(parameter);
      gradients.push_back(gradient);
      // The kernel requires that there are no buffers if the momentum is 0.
      if (momentum != 0) buffers.push_back(buffer);
    }
    const auto step = [&](const auto &rate) {
      ctorch::forEachPart(updated, [&](size_t begin, size_t end) {
        at::_fused_sgd_(slice(updated, begin, end), slice(gradients, begin, end),
                        momentum != 0 ? slice(buffers, begin, end) : buffers, weightDecay, momentum, rate, /*dampening=*/0.0,
                        nesterov, /*maximize=*/false, /*is_first_step=*/false);
      });
    };
    heldLearningRate ? step(heldLearningRate->value) : step(learningRate);
  });
}

CTError *ct_move_towards(const CTTensor *const *tensors, const CTTensor *const *targets, int64_t count, double share) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    const auto moved = ctorch::values(tensors, count), places = ctorch::values(targets, count);
    ctorch::forEachPart(moved, [&](size_t begin, size_t end) {
      at::_foreach_lerp_(slice(moved, begin, end), slice(places, begin, end), share);
    });
  });
}
