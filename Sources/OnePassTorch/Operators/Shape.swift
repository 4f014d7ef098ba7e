import CTorch

extension Tensor {
  /// The same elements in another shape, in row-major order.
  /// - Throws: `OnePassError` (`engine`) if the numbers of elements differ.
  public func reshaped(_ shape: [Int]) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    return try result(of: "reshaped", using: self) { ct_reshape(handle, sizes, Int32(sizes.count), $0) }
  }

  /// All dimensions from `first` on as one: `[N, C, 1, 1]` becomes `[N, C]` with `first` = 1.
  public func flattened(from first: Int = 1) throws -> Tensor {
    try result(of: "flattened", using: self) { ct_flatten(handle, Int64(first), $0) }
  }

  /// Every `stride`-th element along a dimension, from the first on; shares the elements.
  public func strided(dimension: Int, by stride: Int) throws -> Tensor {
    try sliced(dimension: dimension, from: 0, to: Int.max, by: stride)
  }

  /// The elements `start`, `start + stride`, … below `end` along a dimension; shares the elements.
  ///
  /// As in PyTorch, a negative position counts from the end, and one beyond the end means the end.
  public func sliced(dimension: Int, from start: Int, to end: Int, by stride: Int = 1) throws -> Tensor {
    try result(of: "sliced", using: self) {
      ct_slice(handle, Int64(dimension), Int64(start), Int64(end), Int64(stride), $0)
    }
  }

  /// `length` elements along a dimension, from `start` on; shares the elements.
  /// - Throws: `OnePassError` (`engine`) if they do not all exist.
  public func narrowed(dimension: Int = 0, from start: Int, length: Int) throws -> Tensor {
    try result(of: "narrowed", using: self) {
      ct_narrow(handle, Int64(dimension), Int64(start), Int64(length), $0)
    }
  }

  /// The elements with these indices (`[n]`, int64) along a dimension, copied.
  /// - Throws: `OnePassError` (`engine`) for an index outside the dimension.
  public func selected(_ indices: Tensor, dimension: Int = 0) throws -> Tensor {
    try result(of: "selected", using: self, indices) {
      ct_index_select(handle, Int64(dimension), indices.handle, $0)
    }
  }

  /// A constant border around the last dimensions.
  /// - Parameters:
  ///   - amounts: before and after the last dimension, then before and after the one before it, and so on; as in
  ///     `torch.nn.functional.pad`.
  ///   - value: the border's value.
  public func padded(_ amounts: [Int], with value: Double = 0) throws -> Tensor {
    let amounts = amounts.map(Int64.init)
    return try result(of: "padded", using: self) {
      ct_constant_pad(handle, amounts, Int32(amounts.count), value, $0)
    }
  }
}

/// Tensors one after the other along a dimension.
/// - Throws: `OnePassError` (`engine`) if there is none, or the other dimensions differ.
public func concatenated(_ tensors: [Tensor], dimension: Int = 0) throws -> Tensor {
  try withExtendedLifetime(tensors) {
    let handles = tensors.map(\.handle)
    return try result(of: "concatenated") {
      ct_concatenate(handles, Int64(handles.count), Int64(dimension), $0)
    }
  }
}
