import CTorch
import OnePassCore

extension Tensor {
  /// A tensor with a copy of `values`, in row-major order of `shape`.
  /// - Precondition: `values` has as many elements as `shape` says.
  public convenience init(_ values: [Float], shape: [Int], on device: Device = .cpu) throws {
    Self.check(shape, holds: values.count)
    let sizes = shape.map(Int64.init)
    var made: OpaquePointer?
    try OnePassTorch.check(
      "the making of a tensor", ct_from_floats(values, sizes, Int32(sizes.count), device.handle, &made))
    self.init(owning: try Self.unwrap(made))
  }

  /// A tensor of labels or indices with a copy of `values`, in row-major order of `shape`.
  /// - Precondition: `values` has as many elements as `shape` says.
  // So that a list of literals such as [1, 2] is taken for floats, as it reads.
  @_disfavoredOverload
  public convenience init(_ values: [Int64], shape: [Int], on device: Device = .cpu) throws {
    Self.check(shape, holds: values.count)
    let sizes = shape.map(Int64.init)
    var made: OpaquePointer?
    try OnePassTorch.check(
      "the making of a tensor", ct_from_integers(values, sizes, Int32(sizes.count), device.handle, &made))
    self.init(owning: try Self.unwrap(made))
  }

  /// A batch of images seen in place, without a copy, on the CPU; on another device a copy, which is under way.
  ///
  /// The memory holds `[N, H, W, C]` float32, as decoders write it; the tensor is `[N, C, H, W]` in
  /// channels-last format, as convolutions read it fastest.
  /// - Parameters:
  ///   - pointer: the first element; valid and unchanged for as long as `owner` lives.
  ///   - shape: `[N, C, H, W]`.
  ///   - owner: kept alive until libtorch has dropped its last use of the memory.
  ///   - device: where the tensor is wanted.
  /// - Precondition: `shape` has four sizes, none negative.
  public convenience init(
    borrowing pointer: UnsafeMutablePointer<Float>, shape: [Int], owner: AnyObject, on device: Device = .cpu
  ) throws {
    try self.init(borrowing: pointer, CT_FLOAT32, shape: shape, owner: owner, on: device)
  }

  convenience init(
    borrowing pointer: UnsafeMutableRawPointer, _ type: CTElementType, shape: [Int], owner: AnyObject,
    on device: Device
  ) throws {
    precondition(
      shape.count == 4 && shape.allSatisfy { $0 >= 0 }, "A batch of images has the shape [N, C, H, W].")
    let sizes = shape.map(Int64.init)
    let (channels, height, width) = (sizes[1], sizes[2], sizes[3])
    let strides = [height * width * channels, 1, width * channels, channels]
    var made: OpaquePointer?
    try OnePassTorch.check(
      "the borrowing of a batch",
      ct_from_borrowed(
        pointer, type, sizes, strides, 4, device.handle, Unmanaged.passRetained(owner).toOpaque(),
        { Unmanaged<AnyObject>.fromOpaque($0).release() }, &made))
    self.init(owning: try Self.unwrap(made))
  }

  /// A tensor with `value` in each element.
  public static func full(
    _ value: Double, shape: [Int], type: ElementType = .float32, on device: Device = .cpu
  ) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    let type = type == .int64 ? CT_INT64 : CT_FLOAT32
    return try result(of: "full") { ct_full(value, sizes, Int32(sizes.count), type, device.handle, $0) }
  }

  /// A tensor of zeros.
  public static func zeros(shape: [Int], type: ElementType = .float32, on device: Device = .cpu) throws
    -> Tensor
  {
    try full(0, shape: shape, type: type, on: device)
  }

  /// Zeros with the shape, element type, device and memory layout of this tensor.
  public func zerosLike() throws -> Tensor {
    try result(of: "zerosLike", using: self) { ct_zeros_like(handle, $0) }
  }

  private static func check(_ shape: [Int], holds count: Int) {
    precondition(shape.allSatisfy { $0 >= 0 }, "The sizes of a shape are not negative.")
    precondition(shape.reduce(1, *) == count, "A shape says how many elements there are.")
  }

  private static func unwrap(_ made: OpaquePointer?) throws -> OpaquePointer {
    guard let made else { throw OnePassError(.engine, "libtorch made no tensor.") }
    return made
  }
}
