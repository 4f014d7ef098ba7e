import CTorch

/// Returns input · weightᵀ + bias.
/// - Parameters:
///   - input: `[N, inputs]`, float32.
///   - weight: `[outputs, inputs]`.
///   - bias: `[outputs]`, or none.
/// - Returns: `[N, outputs]`.
/// - Throws: `OnePassError` (`engine`) if the shapes do not fit.
public func linear(_ input: Tensor, weight: Tensor, bias: Tensor? = nil) throws -> Tensor {
  try result(of: "linear", using: input, weight, bias) {
    ct_linear(input.handle, weight.handle, bias?.handle, $0)
  }
}
