import CTorch
import OnePassCore

/// The source of a new model's random weights: the same seed gives the same weights, on any device.
///
/// The numbers come from a generator of its own on the CPU; no global state is read or changed. Weights
/// are drawn in the order in which layers are made.
public final class Initialiser {
  public let device: Device
  private let generator: OpaquePointer

  /// - Parameters:
  ///   - seed: what decides the weights.
  ///   - device: where they are put.
  public init(seed: UInt64, device: Device = .cpu) throws {
    var made: OpaquePointer?
    try check("the making of a generator", ct_generator_make(seed, &made))
    guard let made else { throw OnePassError(.engine, "libtorch made no generator.") }
    self.generator = made
    self.device = device
  }

  deinit { ct_generator_free(generator) }

  /// A convolution's weight `[F, C, kH, kW]` from N(0, 2 / (F·kH·kW)), in channels-last format.
  ///
  /// Kaiming initialisation by fan-out for ReLU (He et al. 2015), as torchvision's ResNets use it.
  public func convolutionWeight(filters: Int, channels: Int, size: Int) throws -> Tensor {
    let weight = try Tensor.zeros(shape: [filters, channels, size, size])
    let deviation = (2 / Double(filters * size * size)).squareRoot()
    try perform("the drawing of weights", using: weight) {
      ct_fill_normal(weight.handle, 0, deviation, generator)
    }
    return try parameter(weight.channelsLast())
  }

  /// Numbers drawn uniformly from −bound ..< bound.
  public func uniform(shape: [Int], bound: Double) throws -> Tensor {
    let values = try Tensor.zeros(shape: shape)
    try perform("the drawing of weights", using: values) {
      ct_fill_uniform(values.handle, -bound, bound, generator)
    }
    return try parameter(values)
  }

  /// A parameter with `value` in each element.
  public func constant(_ value: Double, shape: [Int]) throws -> Tensor {
    try parameter(Tensor.full(value, shape: shape))
  }

  /// A buffer, which is not trained, with `value` in each element.
  public func buffer(_ value: Double, shape: [Int], type: ElementType = .float32) throws -> Tensor {
    try Tensor.full(value, shape: shape, type: type, on: device)
  }

  private func parameter(_ values: Tensor) throws -> Tensor {
    let moved = try values.to(device)
    try moved.setRequiresGradient(true)
    return moved
  }
}
