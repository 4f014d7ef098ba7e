import CTorch
import OnePassCore

/// The kind of number that a tensor holds.
public enum ElementType: Hashable, Sendable {
  case float32
  case int64
}

/// An array of numbers on a device, with the record of how it was computed where a gradient is wanted.
///
/// It owns one reference to libtorch's tensor, and frees it when the last Swift reference goes. Tensors made
/// from it may share its elements (`narrowed`, `detached`, `reshaped`). It is used by one thread at a time,
/// so it is not `Sendable`.
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

  /// The size of each dimension; empty for a single number.
  public var shape: [Int] { (0..<ct_rank(handle)).map { Int(ct_size(handle, $0)) } }

  /// The number of elements, the product of the shape.
  public var count: Int { Int(ct_element_count(handle)) }

  public var device: Device { Device(ct_device(handle)) }

  /// - Precondition: the tensor holds float32 or int64, as every tensor made through this module does.
  public var elementType: ElementType {
    let type = ct_element_type(handle)
    precondition(type != CT_OTHER, "OnePass makes tensors of float32 and int64 only.")
    return type == CT_INT64 ? .int64 : .float32
  }

  /// Whether the elements of an image batch `[N, C, H, W]` lie in memory as `[N, H, W, C]`.
  public var isChannelsLast: Bool { ct_is_channels_last(handle) }
}

extension Tensor: CustomStringConvertible {
  public var description: String { "Tensor(\(elementType), shape: \(shape), on: \(device))" }
}
