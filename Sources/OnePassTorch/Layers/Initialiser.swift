import CTorch
import OnePassCore

/// A source of random initial weights that depend only on the seed, on every device.
///
/// The numbers come from a separate CPU generator, so no global state is read or changed. Weights are drawn in the order in
/// which layers are created.
///
/// ```swift
/// let initialiser = try Initialiser(seed: 1)
/// let layer = try Conv2d(3, 16, size: 3, padding: 1, from: initialiser)
/// let head = try Linear(16, 10, from: initialiser)
/// ```
public final class Initialiser {
  /// The device of the weights.
  public let device: Device
  private let generator: OpaquePointer

  /// Creates a source of weights.
  /// - Parameters:
  ///   - seed: The seed of the generator.
  ///   - device: The device of the weights.
  public init(seed: UInt64, device: Device = .cpu) throws {
    var made: OpaquePointer?
    try check("Initialiser.init", ct_generator_make(seed, &made))
    guard let made else { throw OnePassError.libtorchReturnedNothing("Initialiser.init") }
    self.generator = made
    self.device = device
  }

  deinit { ct_generator_free(generator) }

  /// Draws a convolution weight `[filters, channels, size, size]` from N(0, 2 / (filters · size²)), in channels-last format.
  ///
  /// This is Kaiming initialisation with fan-out for ReLU (He et al. 2015), as in torchvision's ResNets.
  public func convolutionWeight(filters: Int, channels: Int, size: Int) throws -> Tensor {
    let weight = try Tensor.zeros(shape: [filters, channels, size, size])
    let deviation = (2 / Double(filters * size * size)).squareRoot()
    try perform("Initialiser.convolutionWeight", using: weight) {
      ct_fill_normal(weight.handle, 0, deviation, generator)
    }
    return try parameter(weight.channelsLast())
  }

  /// Draws a parameter uniformly from −`bound` ..< `bound`.
  public func uniform(shape: [Int], bound: Double) throws -> Tensor {
    let values = try Tensor.zeros(shape: shape)
    try perform("Initialiser.uniform", using: values) {
      ct_fill_uniform(values.handle, -bound, bound, generator)
    }
    return try parameter(values)
  }

  /// Creates a parameter filled with `value`.
  public func constant(_ value: Double, shape: [Int]) throws -> Tensor {
    try parameter(Tensor.full(value, shape: shape))
  }

  /// Creates a buffer, which is not trained, filled with `value`.
  public func buffer(_ value: Double, shape: [Int], type: ElementType = .float32) throws -> Tensor {
    try Tensor.full(value, shape: shape, type: type, on: device)
  }

  private func parameter(_ values: Tensor) throws -> Tensor {
    let moved = try values.to(device)
    try moved.setRequiresGradient(true)
    return moved
  }
}
