#include <ATen/CPUGeneratorImpl.h>

#include <cstring>

#include "Guard.hpp"

using ctorch::guard;
using ctorch::produce;
using ctorch::span;

namespace {

template <typename Element>
CTError *copyIn(const Element *values, at::ScalarType type, const int64_t *shape, int32_t rank, CTDevice device,
                CTTensor **out) {
  return produce(out, [&] {
    const at::Device target = ctorch::deviceOf(device);
    // A copy from pinned memory does not wait for the device; libtorch keeps the memory until the copy has finished.
    at::Tensor host = at::empty(span(shape, rank), at::TensorOptions(type).pinned_memory(target.is_cuda()));
    if (host.numel() > 0) std::memcpy(host.mutable_data_ptr(), values, host.nbytes());
    return host.to(target, /*non_blocking=*/true);
  });
}

template <typename Element>
CTError *copyOut(const CTTensor *tensor, at::ScalarType type, Element *values, int64_t count) {
  return guard([&] {
    TORCH_CHECK(tensor->value.scalar_type() == type, "the element type is ", tensor->value.scalar_type(), ", not ", type);
    TORCH_CHECK(tensor->value.numel() == count, "the tensor has ", tensor->value.numel(), " elements, not ", count);
    const at::Tensor host = tensor->value.detach().to(at::kCPU).contiguous();
    if (count > 0) std::memcpy(values, host.const_data_ptr(), host.nbytes());
  });
}

}  // namespace

CTError *ct_from_floats(const float *values, const int64_t *shape, int32_t rank, CTDevice device, CTTensor **out) {
  return copyIn(values, at::kFloat, shape, rank, device, out);
}

CTError *ct_from_integers(const int64_t *values, const int64_t *shape, int32_t rank, CTDevice device,
                          CTTensor **out) {
  return copyIn(values, at::kLong, shape, rank, device, out);
}

CTError *ct_full(double value, const int64_t *shape, int32_t rank, CTElementType type, CTDevice device,
                 CTTensor **out) {
  return produce(out, [&] {
    const auto options = at::TensorOptions(type == CT_INT64 ? at::kLong : at::kFloat);
    return at::full(span(shape, rank), value, options.device(ctorch::deviceOf(device)));
  });
}

CTError *ct_zeros_like(const CTTensor *like, CTTensor **out) {
  return produce(out, [&] { return at::zeros_like(like->value.detach()); });
}

void ct_tensor_free(CTTensor *tensor) { delete tensor; }

int32_t ct_rank(const CTTensor *tensor) { return static_cast<int32_t>(tensor->value.dim()); }

int64_t ct_size(const CTTensor *tensor, int32_t dimension) {
  return tensor->value.sizes()[static_cast<size_t>(dimension)];
}

int64_t ct_element_count(const CTTensor *tensor) { return tensor->value.numel(); }

CTElementType ct_element_type(const CTTensor *tensor) {
  switch (tensor->value.scalar_type()) {
    case at::kFloat: return CT_FLOAT32;
    case at::kLong: return CT_INT64;
    case at::kByte: return CT_UINT8;
    default: return CT_OTHER;
  }
}

CTDevice ct_device(const CTTensor *tensor) {
  const at::Device device = tensor->value.device();
  return CTDevice{device.is_cuda(), device.is_cuda() ? static_cast<int32_t>(device.index()) : 0};
}

bool ct_is_channels_last(const CTTensor *tensor) {
  return tensor->value.dim() == 4 && tensor->value.is_contiguous(at::MemoryFormat::ChannelsLast);
}

CTError *ct_read_floats(const CTTensor *tensor, float *values, int64_t count) {
  return copyOut(tensor, at::kFloat, values, count);
}

CTError *ct_read_integers(const CTTensor *tensor, int64_t *values, int64_t count) {
  return copyOut(tensor, at::kLong, values, count);
}

CTError *ct_to_device(const CTTensor *tensor, CTDevice device, CTTensor **out) {
  return produce(out, [&] { return tensor->value.to(ctorch::deviceOf(device)); });
}

CTError *ct_to_channels_last(const CTTensor *tensor, CTTensor **out) {
  return produce(out, [&] { return tensor->value.contiguous(at::MemoryFormat::ChannelsLast); });
}

CTError *ct_clone(const CTTensor *tensor, CTTensor **out) {
  return produce(out, [&] { return tensor->value.detach().clone(); });
}

CTError *ct_copy(CTTensor *destination, const CTTensor *source) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    destination->value.copy_(source->value);
  });
}

CTError *ct_copy_at(CTTensor *destination, int64_t index, const CTTensor *source) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    destination->value.select(0, index).copy_(source->value);
  });
}

CTError *ct_append_rows(CTTensor *tensor, const CTTensor *rows) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    auto &value = tensor->value;
    // All who hold the tensor see the new rows, unlike those of a new tensor. A gradient would have the old shape.
    value.mutable_grad().reset();
    value.set_data(at::cat({value.detach(), rows->value.detach()}));
  });
}

CTError *ct_add_integer_in_place(CTTensor *tensor, int64_t value) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    tensor->value.add_(value);
  });
}

CTError *ct_generator_make(uint64_t seed, CTGenerator **out) {
  return guard([&] { *out = new CTGenerator{at::detail::createCPUGenerator(seed)}; });
}

void ct_generator_free(CTGenerator *generator) { delete generator; }

CTError *ct_fill_normal(CTTensor *tensor, double mean, double deviation, CTGenerator *generator) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    tensor->value.normal_(mean, deviation, generator->value);
  });
}

CTError *ct_fill_uniform(CTTensor *tensor, double low, double high, CTGenerator *generator) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    tensor->value.uniform_(low, high, generator->value);
  });
}
