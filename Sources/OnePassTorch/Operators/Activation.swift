import CTorch

extension Tensor {
  /// max(x, 0) of each element.
  public func relu() throws -> Tensor {
    try result(of: "relu", using: self) { ct_relu(handle, $0) }
  }

  /// Replaces each element by max(x, 0), which saves the memory of a second tensor; returns itself.
  ///
  /// Only for a tensor whose old values nobody needs, the backward pass of the operator that made it included:
  /// right after batch normalisation, convolution or addition.
  /// - Throws: `OnePassError` (`engine`) for a parameter that requires a gradient.
  @discardableResult
  public func reluInPlace() throws -> Tensor {
    try perform("reluInPlace", using: self) { ct_relu_in_place(handle) }
    return self
  }

  /// exp(x) / Σ exp(x) along a dimension.
  public func softmax(dimension: Int = 1) throws -> Tensor {
    try result(of: "softmax", using: self) { ct_softmax(handle, Int64(dimension), $0) }
  }

  /// x − log Σ exp(x) along a dimension, without overflow.
  public func logSoftmax(dimension: Int = 1) throws -> Tensor {
    try result(of: "logSoftmax", using: self) { ct_log_softmax(handle, Int64(dimension), $0) }
  }
}
