import CTorch
import OnePassCore

extension Tensor {
  /// Whether operators on this tensor are recorded for ``backward()``.
  public var requiresGradient: Bool { ct_requires_gradient(handle) }

  /// Sets whether operators on this tensor are recorded for ``backward()``.
  /// - Throws: `OnePassError` (`engine`) for an int64 tensor, or one that was computed from other tensors.
  public func setRequiresGradient(_ value: Bool) throws {
    try perform("setRequiresGradient", using: self) { ct_set_requires_gradient(handle, value) }
  }

  /// The gradient accumulated by ``backward()``, in the shape of this tensor; `nil` if there is none.
  public var grad: Tensor? {
    get throws {
      var made: OpaquePointer?
      try perform("grad", using: self) { ct_gradient(handle, &made) }
      return made.map(Tensor.init(owning:))
    }
  }

  /// Sets the gradient to `nil` and frees its memory.
  public func clearGradient() throws {
    try perform("clearGradient", using: self) { ct_clear_gradient(handle) }
  }

  /// Returns a view of the same elements that is not part of the autograd graph.
  public func detached() throws -> Tensor {
    try result(of: "detached", using: self) { ct_detach(handle, $0) }
  }

  /// Adds the gradient of this scalar to ``grad`` of every parameter from which it was computed.
  ///
  /// The call frees the autograd graph, so a second call on the same result throws.
  /// - Throws: `OnePassError` (`engine`) if this is not a scalar or was not recorded.
  public func backward() throws {
    try perform("backward", using: self) { ct_backward(handle) }
  }
}
