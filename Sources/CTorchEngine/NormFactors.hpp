#pragma once
// Batch normalisation with the running statistics, as a factor and an offset of each channel.

#include "PreparedWeights.hpp"

namespace ctorch {

/// Returns the factors scale / √(variance + ε) and the offsets shift − mean · factor.
inline std::pair<at::Tensor, at::Tensor> normFactors(const at::Tensor &scale, const at::Tensor &shift, const at::Tensor &mean,
                                                     const at::Tensor &variance, double epsilon) {
  const at::Tensor factor = prepared(scale, Form::factor, [&] { return scale * (variance + epsilon).rsqrt_(); });
  return {factor, prepared(scale, Form::offset, [&] { return shift - mean * factor; })};
}

}  // namespace ctorch
