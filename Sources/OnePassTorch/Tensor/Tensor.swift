import CTorch
import OnePassCore

/// The element type of a tensor.
///
/// ```swift
/// let counts = try Tensor.zeros(shape: [10], type: .int64)
/// ```
public enum ElementType: Hashable, Sendable {
  /// IEEE 754 single precision.
  case float32
  /// Signed 64-bit integers, for labels and indices.
  case int64
}

/// A multi-dimensional array on a device, with automatic differentiation.
///
/// It owns one reference to a libtorch tensor and releases it with the last Swift reference. Views such as `narrowed`,
/// `detached` and `reshaped` can share its elements. A tensor must be used by one thread at a time, so it is not `Sendable`.
///
/// ```swift
/// let weights = try Tensor([0.5, -1], shape: [1, 2])
/// let output = try linear(try Tensor([1, 2], shape: [1, 2]), weight: weights)
/// print(try output.floats())  // [-1.5]
/// ```
public final class Tensor {
  let handle: OpaquePointer

  /// Takes over the caller's ownership of the handle.
  init(owning handle: OpaquePointer) { self.handle = handle }

  deinit { ct_tensor_free(handle) }

  /// The size of each dimension; empty for a scalar.
  public var shape: [Int] { (0..<ct_rank(handle)).map { Int(ct_size(handle, $0)) } }

  /// The number of elements, the product of the shape.
  public var count: Int { Int(ct_element_count(handle)) }

  /// The device that stores the elements.
  public var device: Device { Device(ct_device(handle)) }

  /// The element type.
  /// - Precondition: It is float32 or int64, as for every tensor that this module creates.
  public var elementType: ElementType {
    let type = ct_element_type(handle)
    precondition(type != CT_OTHER, "The element type must be float32 or int64.")
    return type == CT_INT64 ? .int64 : .float32
  }

  /// Whether the memory of a tensor `[N, C, H, W]` is laid out as `[N, H, W, C]`.
  public var isChannelsLast: Bool { ct_is_channels_last(handle) }
}

extension Tensor: CustomStringConvertible {
  public var description: String { "Tensor(\(elementType), shape: \(shape), on: \(device))" }
}
