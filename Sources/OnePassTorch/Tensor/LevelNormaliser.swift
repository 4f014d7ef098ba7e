import CTorch
import OnePassCore

/// Converts batches of 8-bit images to normalised float32 on a device: (level / 255 − mean) / deviation.
///
/// Only a quarter of the bytes of float32 images is copied to the device, and the CPU does no arithmetic.
///
/// ```swift
/// let normalise = try LevelNormaliser(mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25], on: device)
/// ```
public struct LevelNormaliser {
  /// The device of the normalised batches.
  public let device: Device
  private let channels: Int
  /// `[1, C, 1, 1]`
  private let factor: Tensor
  private let offset: Tensor

  /// Creates a normaliser for images with one channel per value.
  /// - Parameters:
  ///   - mean: The mean of each channel, on the scale 0 … 1.
  ///   - deviation: The standard deviation of each channel, on the scale 0 … 1 and above 0.
  ///   - device: The device of the normalised batches.
  public init(mean: [Float], deviation: [Float], on device: Device) throws {
    precondition(
      mean.count == deviation.count, "mean and deviation must have one value per channel.")
    self.device = device
    channels = mean.count
    let shape = [1, channels, 1, 1]
    factor = try Tensor(deviation.map { 1 / (255 * $0) }, shape: shape, on: device)
    offset = try Tensor(zip(mean, deviation).map { -$0 / $1 }, shape: shape, on: device)
  }

  /// Normalises a batch.
  /// - Parameters:
  ///   - levels: `[N, H, W, C]`, valid and unchanged while `owner` is alive.
  ///   - shape: `[N, C, H, W]`.
  ///   - owner: An object that is retained until the levels have been read. For a CUDA device the thread that uses the
  ///     device releases it after the asynchronous copy.
  /// - Returns: `[N, C, H, W]`, float32, in channels-last format.
  public func callAsFunction(
    _ levels: UnsafeMutablePointer<UInt8>, shape: [Int], owner: AnyObject
  ) throws -> Tensor {
    precondition(
      shape.count == 4 && shape[1] == channels, "shape must be [N, C, H, W] with the normaliser's channels.")
    let levels = try Tensor(borrowing: levels, CT_UINT8, shape: shape, owner: owner, on: device)
    return try result(of: "LevelNormaliser", using: levels, factor, offset) {
      ct_normalise_levels(levels.handle, factor.handle, offset.handle, $0)
    }
  }
}
