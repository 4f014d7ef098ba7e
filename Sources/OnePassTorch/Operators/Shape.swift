import CTorch

extension Tensor {
  /// Returns the same elements in another shape, in row-major order.
  /// - Throws: `OnePassError` (`engine`) if the number of elements differs.
  public func reshaped(_ shape: [Int]) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    return try result(of: "reshaped", using: self) { ct_reshape(handle, sizes, Int32(sizes.count), $0) }
  }

  /// Merges all dimensions from `first` to the last: for `first` = 1, `[N, C, 1, 1]` becomes `[N, C]`.
  public func flattened(from first: Int = 1) throws -> Tensor {
    try result(of: "flattened", using: self) { ct_flatten(handle, Int64(first), $0) }
  }

  /// Returns a view of every `stride`-th element along a dimension, starting with the first.
  public func strided(dimension: Int, by stride: Int) throws -> Tensor {
    try sliced(dimension: dimension, from: 0, to: Int.max, by: stride)
  }

  /// Returns a view of the elements `start`, `start + stride`, … below `end` along a dimension.
  ///
  /// As in PyTorch, a negative position counts from the end, and a position beyond the end is clamped to the end.
  public func sliced(dimension: Int, from start: Int, to end: Int, by stride: Int = 1) throws -> Tensor {
    try result(of: "sliced", using: self) {
      ct_slice(handle, Int64(dimension), Int64(start), Int64(end), Int64(stride), $0)
    }
  }

  /// Returns a view of `length` elements along a dimension, starting at `start`.
  /// - Throws: `OnePassError` (`engine`) if the range exceeds the dimension.
  public func narrowed(dimension: Int = 0, from start: Int, length: Int) throws -> Tensor {
    try result(of: "narrowed", using: self) {
      ct_narrow(handle, Int64(dimension), Int64(start), Int64(length), $0)
    }
  }

  /// Returns a copy of the elements with the given indices (`[n]`, int64) along a dimension.
  /// - Throws: `OnePassError` (`engine`) for an index outside the dimension.
  public func selected(_ indices: Tensor, dimension: Int = 0) throws -> Tensor {
    try result(of: "selected", using: self, indices) {
      ct_index_select(handle, Int64(dimension), indices.handle, $0)
    }
  }

  /// Returns the tensor with a constant border around its last dimensions.
  /// - Parameters:
  ///   - amounts: The sizes of the border before and after the last dimension, then the second last, and so on, as in
  ///     `torch.nn.functional.pad`.
  ///   - value: The value of the border.
  public func padded(_ amounts: [Int], with value: Double = 0) throws -> Tensor {
    let amounts = amounts.map(Int64.init)
    return try result(of: "padded", using: self) {
      ct_constant_pad(handle, amounts, Int32(amounts.count), value, $0)
    }
  }
}

/// Returns the concatenation of tensors along a dimension.
/// - Throws: `OnePassError` (`engine`) if there are no tensors, or the other dimensions differ.
public func concatenated(_ tensors: [Tensor], dimension: Int = 0) throws -> Tensor {
  try withExtendedLifetime(tensors) {
    let handles = tensors.map(\.handle)
    return try result(of: "concatenated") {
      ct_concatenate(handles, Int64(handles.count), Int64(dimension), $0)
    }
  }
}
