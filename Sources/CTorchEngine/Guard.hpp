#pragma once
// Shared by all source files of the shim: the definitions of the handles, and the guard that catches exceptions.

#if !__has_include(<ATen/ATen.h>)
#error "libtorch not found; run scripts/setup of OnePass once, or set LIBTORCH to the folder of a libtorch 2.11"
#endif
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <atomic>
#include <new>
#include <string>
#include <vector>

#include "CTorch.h"

#pragma clang diagnostic ignored "-Wnullability-completeness"

namespace ctorch {
extern std::atomic<int64_t> liveTensors;
}

struct CTTensor {
  explicit CTTensor(at::Tensor tensor) : value(std::move(tensor)) { ++ctorch::liveTensors; }
  ~CTTensor() { --ctorch::liveTensors; }
  CTTensor(const CTTensor &) = delete;
  CTTensor &operator=(const CTTensor &) = delete;

  at::Tensor value;
};

struct CTGenerator {
  at::Generator value;
};

struct CTError {
  CTErrorKind kind;
  std::string message;
};

namespace ctorch {

/// Thrown by the shim for a device that is not available.
struct NoDevice : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Returns the error for the exception being handled; never throws, even without memory for a message.
CTError *currentError() noexcept;

/// Runs a body and converts any exception to an error that the caller owns.
template <typename Body>
CTError *guard(Body &&body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return currentError();
  }
}

/// Runs a body that creates a tensor, and transfers its ownership to the caller.
template <typename Body>
CTError *produce(CTTensor **out, Body &&body) noexcept {
  return guard([&] { *out = new CTTensor(body()); });
}

/// Converts to ATen's device type. Throws NoDevice if the device does not exist.
at::Device deviceOf(CTDevice device);

/// Releases host memory whose copies to a device have finished.
void releaseFinishedUploads();

constexpr auto channelsLast = at::MemoryFormat::ChannelsLast;

/// Whether our own kernels compute. `ONEPASS_KERNELS=libtorch` makes libtorch's compute everything, for comparisons.
bool usesOwnKernels();

/// Whether our own kernels compute with a tensor: floats in the memory of the host.
inline bool isForOwnKernels(const at::Tensor &tensor) {
  return usesOwnKernels() && tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.layout() == at::kStrided;
}

inline at::IntArrayRef span(const int64_t *values, int32_t count) {
  return at::IntArrayRef(values, static_cast<size_t>(count));
}

inline std::optional<at::Tensor> optionalValue(const CTTensor *tensor) {
  return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}

inline std::vector<at::Tensor> values(const CTTensor *const *tensors, int64_t count) {
  std::vector<at::Tensor> result;
  result.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) result.push_back(tensors[i]->value);
  return result;
}

}  // namespace ctorch
