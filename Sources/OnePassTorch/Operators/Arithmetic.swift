import CTorch

extension Tensor {
  /// Returns the element-wise sum; dimensions of size 1 are broadcast.
  public static func + (a: Tensor, b: Tensor) throws -> Tensor {
    try result(of: "+", using: a, b) { ct_add(a.handle, b.handle, $0) }
  }

  /// Returns the element-wise product; dimensions of size 1 are broadcast.
  public static func * (a: Tensor, b: Tensor) throws -> Tensor {
    try result(of: "*", using: a, b) { ct_multiply(a.handle, b.handle, $0) }
  }

  /// Returns each element multiplied by a number.
  public static func * (a: Tensor, factor: Double) throws -> Tensor {
    try result(of: "*", using: a) { ct_scale(a.handle, factor, $0) }
  }

  /// Returns the element-wise quotient; dimensions of size 1 are broadcast.
  public static func / (a: Tensor, b: Tensor) throws -> Tensor {
    try result(of: "/", using: a, b) { ct_divide(a.handle, b.handle, $0) }
  }

  /// Adds `other` to the elements of this tensor, recorded for the gradient, and returns the tensor.
  ///
  /// The old values must not be needed afterwards, as for ``reluInPlace()``.
  @discardableResult
  public func addInPlace(_ other: Tensor) throws -> Tensor {
    try perform("addInPlace", using: self, other) { ct_add_in_place(handle, other.handle) }
    return self
  }

  /// Returns the sum of all elements as a scalar.
  public func sum() throws -> Tensor {
    try result(of: "sum", using: self) { ct_sum(handle, $0) }
  }

  /// Returns the mean of all elements as a scalar.
  public func mean() throws -> Tensor {
    try result(of: "mean", using: self) { ct_mean(handle, $0) }
  }
}
