import CTorch
import OnePassCore

extension Tensor {
  /// Whether operators on this tensor are recorded, so that `backward()` finds a gradient.
  public var requiresGradient: Bool { ct_requires_gradient(handle) }

  /// Says whether a gradient for this tensor is wanted.
  /// - Throws: `OnePassError` (`engine`) for a tensor of int64 or one that was itself computed.
  public func setRequiresGradient(_ value: Bool) throws {
    try perform("setRequiresGradient", using: self) { ct_set_requires_gradient(handle, value) }
  }

  /// The gradient that `backward()` has added up, in the shape of this tensor; `nil` where there is none.
  public var grad: Tensor? {
    get throws {
      var made: OpaquePointer?
      try perform("grad", using: self) { ct_gradient(handle, &made) }
      return made.map(Tensor.init(owning:))
    }
  }

  /// Drops the gradient and its memory.
  public func clearGradient() throws {
    try perform("clearGradient", using: self) { ct_clear_gradient(handle) }
  }

  /// The same elements without the record of how they were computed.
  public func detached() throws -> Tensor {
    try result(of: "detached", using: self) { ct_detach(handle, $0) }
  }

  /// Adds the gradient of this single number to `grad` of every parameter it was computed from.
  ///
  /// The record is used up: a second call on the same result throws.
  /// - Throws: `OnePassError` (`engine`) if this is not a single number or no gradient was recorded.
  public func backward() throws {
    try perform("backward", using: self) { ct_backward(handle) }
  }
}
