import CTorch

extension Tensor {
  /// Returns max(x, 0) of each element.
  public func relu() throws -> Tensor {
    try result(of: "relu", using: self) { ct_relu(handle, $0) }
  }

  /// Replaces each element with max(x, 0) and returns the tensor, which saves memory.
  ///
  /// The old values must not be needed afterwards, not even in the backward pass of the operator that computed them. This
  /// holds for the results of batch normalisation, convolution and addition.
  /// - Throws: `OnePassError` (`engine`) for a parameter that requires a gradient.
  @discardableResult
  public func reluInPlace() throws -> Tensor {
    try perform("reluInPlace", using: self) { ct_relu_in_place(handle) }
    return self
  }

  /// Returns exp(x) / Σ exp(x) along a dimension.
  public func softmax(dimension: Int = 1) throws -> Tensor {
    try result(of: "softmax", using: self) { ct_softmax(handle, Int64(dimension), $0) }
  }

  /// Returns x − log Σ exp(x) along a dimension, computed without overflow.
  public func logSoftmax(dimension: Int = 1) throws -> Tensor {
    try result(of: "logSoftmax", using: self) { ct_log_softmax(handle, Int64(dimension), $0) }
  }
}
