import CTorch

/// Returns a two-dimensional convolution with the same stride and zero padding in both dimensions.
/// - Parameters:
///   - input: `[N, C, H, W]`, float32.
///   - weight: `[F, C, kH, kW]`, or `[C, 1, kH, kW]` with C > 1 for a depthwise convolution.
///   - bias: `[F]`, or none.
///   - stride: The stride in pixels, 1 or more.
///   - padding: The zero padding on each side, in pixels.
/// - Returns: `[N, F, (H + 2·padding − kH) / stride + 1, (W + 2·padding − kW) / stride + 1]`.
/// - Throws: `OnePassError` (`engine`) if the shapes do not fit.
public func conv2d(
  _ input: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0
) throws -> Tensor {
  try result(of: "conv2d", using: input, weight, bias) {
    ct_conv2d(input.handle, weight.handle, bias?.handle, Int64(stride), Int64(padding), $0)
  }
}

/// Returns a convolution followed by batch normalisation with the running statistics, an addition and ReLU, in one pass without
/// gradients.
func conv2dThenNorm(
  _ input: Tensor, _ convolution: Conv2d, _ norm: BatchNorm2d, adding addend: Tensor?, rectifies: Bool
) throws -> Tensor {
  try result(
    of: "conv2d", using: input, convolution.weight, norm.weight, norm.bias, norm.runningMean,
    norm.runningVariance, addend
  ) {
    ct_conv2d_norm(
      input.handle, convolution.weight.handle, Int64(convolution.stride), Int64(convolution.padding),
      norm.weight.handle, norm.bias.handle, norm.runningMean.handle, norm.runningVariance.handle,
      addend?.handle, rectifies, 1e-5, $0)
  }
}
