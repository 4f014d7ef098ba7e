import CTorch

extension Tensor {
  /// Element by element, broadcast where a size is 1.
  public static func + (a: Tensor, b: Tensor) throws -> Tensor {
    try result(of: "+", using: a, b) { ct_add(a.handle, b.handle, $0) }
  }

  /// Element by element, broadcast where a size is 1.
  public static func * (a: Tensor, b: Tensor) throws -> Tensor {
    try result(of: "*", using: a, b) { ct_multiply(a.handle, b.handle, $0) }
  }

  /// Each element times a number.
  public static func * (a: Tensor, factor: Double) throws -> Tensor {
    try result(of: "*", using: a) { ct_scale(a.handle, factor, $0) }
  }

  /// Element by element, broadcast where a size is 1.
  public static func / (a: Tensor, b: Tensor) throws -> Tensor {
    try result(of: "/", using: a, b) { ct_divide(a.handle, b.handle, $0) }
  }

  /// Adds `other` to this tensor's own elements, recorded for the gradient; returns itself.
  ///
  /// Only for a tensor whose old values nobody needs, as with ``reluInPlace()``.
  @discardableResult
  public func addInPlace(_ other: Tensor) throws -> Tensor {
    try perform("addInPlace", using: self, other) { ct_add_in_place(handle, other.handle) }
    return self
  }

  /// The sum of all elements, as a single number.
  public func sum() throws -> Tensor {
    try result(of: "sum", using: self) { ct_sum(handle, $0) }
  }

  /// The mean of all elements, as a single number.
  public func mean() throws -> Tensor {
    try result(of: "mean", using: self) { ct_mean(handle, $0) }
  }
}
