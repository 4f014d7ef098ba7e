#include "Guard.hpp"

using ctorch::guard;
using ctorch::optionalValue;
using ctorch::produce;

CTError *ct_linear(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, CTTensor **out) {
  return produce(out, [&] { return at::linear(input->value, weight->value, optionalValue(bias)); });
}

CTError *ct_relu(const CTTensor *input, CTTensor **out) {
  return produce(out, [&] { return at::relu(input->value); });
}

CTError *ct_relu_in_place(CTTensor *input) {
  return guard([&] { at::relu_(input->value); });
}

CTError *ct_max_pool2d(const CTTensor *input, int64_t size, int64_t stride, int64_t padding, CTTensor **out) {
  return produce(
      out, [&] { return at::max_pool2d(input->value, {size, size}, {stride, stride}, {padding, padding}); });
}

CTError *ct_adaptive_average_pool2d(const CTTensor *input, int64_t height, int64_t width, CTTensor **out) {
  return produce(out, [&] { return at::adaptive_avg_pool2d(input->value, {height, width}); });
}
