import CTorch
import OnePassCore

extension Tensor {
  /// Creates a float32 tensor with a copy of `values`, in row-major order.
  /// - Precondition: The number of values is the product of `shape`.
  public convenience init(_ values: [Float], shape: [Int], on device: Device = .cpu) throws {
    Self.check(shape, holds: values.count)
    let sizes = shape.map(Int64.init)
    var made: OpaquePointer?
    try OnePassTorch.check(
      "Tensor.init", ct_from_floats(values, sizes, Int32(sizes.count), device.handle, &made))
    self.init(owning: try Self.unwrap(made))
  }

  /// Creates an int64 tensor of labels or indices with a copy of `values`, in row-major order.
  /// - Precondition: The number of values is the product of `shape`.
  // Disfavoured so that literals such as [1, 2] become floats.
  @_disfavoredOverload
  public convenience init(_ values: [Int64], shape: [Int], on device: Device = .cpu) throws {
    Self.check(shape, holds: values.count)
    let sizes = shape.map(Int64.init)
    var made: OpaquePointer?
    try OnePassTorch.check(
      "Tensor.init", ct_from_integers(values, sizes, Int32(sizes.count), device.handle, &made))
    self.init(owning: try Self.unwrap(made))
  }

  /// Creates a tensor that uses a batch of images in place on the CPU, or copies it asynchronously to another device.
  ///
  /// The memory contains `[N, H, W, C]` float32, as image decoders write it. The tensor is `[N, C, H, W]` in channels-last
  /// format, in which convolutions are fastest.
  /// - Parameters:
  ///   - pointer: The first element; valid and unchanged while `owner` is alive.
  ///   - shape: `[N, C, H, W]`.
  ///   - owner: An object that is retained until libtorch no longer uses the memory.
  ///   - device: The device of the tensor.
  /// - Precondition: `shape` has four sizes, none of them negative.
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
      shape.count == 4 && shape.allSatisfy { $0 >= 0 }, "shape must be [N, C, H, W].")
    let sizes = shape.map(Int64.init)
    let (channels, height, width) = (sizes[1], sizes[2], sizes[3])
    let strides = [height * width * channels, 1, width * channels, channels]
    var made: OpaquePointer?
    try OnePassTorch.check(
      "Tensor.init(borrowing:)",
      ct_from_borrowed(
        pointer, type, sizes, strides, 4, device.handle, Unmanaged.passRetained(owner).toOpaque(),
        { Unmanaged<AnyObject>.fromOpaque($0).release() }, &made))
    self.init(owning: try Self.unwrap(made))
  }

  /// Returns a tensor filled with `value`.
  public static func full(
    _ value: Double, shape: [Int], type: ElementType = .float32, on device: Device = .cpu
  ) throws -> Tensor {
    let sizes = shape.map(Int64.init)
    let type = type == .int64 ? CT_INT64 : CT_FLOAT32
    return try result(of: "full") { ct_full(value, sizes, Int32(sizes.count), type, device.handle, $0) }
  }

  /// Returns a tensor filled with zeros.
  public static func zeros(shape: [Int], type: ElementType = .float32, on device: Device = .cpu) throws
    -> Tensor
  {
    try full(0, shape: shape, type: type, on: device)
  }

  /// Returns zeros with the shape, element type, device and memory format of this tensor.
  public func zerosLike() throws -> Tensor {
    try result(of: "zerosLike", using: self) { ct_zeros_like(handle, $0) }
  }

  private static func check(_ shape: [Int], holds count: Int) {
    precondition(shape.allSatisfy { $0 >= 0 }, "The sizes in shape must not be negative.")
    precondition(shape.reduce(1, *) == count, "The number of values must be the product of shape.")
  }

  private static func unwrap(_ made: OpaquePointer?) throws -> OpaquePointer {
    guard let made else { throw OnePassError.libtorchReturnedNothing("Tensor.init") }
    return made
  }
}
