import CTorch
import OnePassCore

/// Turns batches of 8-bit images into what a model takes, on the model's device: (level / 255 − mean) / deviation.
///
/// A quarter of the bytes of float32 is copied to the device, and the processor is spared the arithmetic.
public struct LevelNormaliser {
  public let device: Device
  private let channels: Int
  /// `[1, C, 1, 1]`
  private let factor: Tensor
  private let offset: Tensor

  /// - Parameters:
  ///   - mean: One value a channel, on the scale 0 … 1.
  ///   - deviation: One value a channel, on the scale 0 … 1, above 0.
  ///   - device: Where the batches are wanted.
  public init(mean: [Float], deviation: [Float], on device: Device) throws {
    precondition(
      mean.count == deviation.count, "A normalisation has a mean and a deviation for each channel.")
    self.device = device
    channels = mean.count
    let shape = [1, channels, 1, 1]
    factor = try Tensor(deviation.map { 1 / (255 * $0) }, shape: shape, on: device)
    offset = try Tensor(zip(mean, deviation).map { -$0 / $1 }, shape: shape, on: device)
  }

  /// - Parameters:
  ///   - levels: `[N, H, W, C]`; valid and unchanged for as long as `owner` lives.
  ///   - shape: `[N, C, H, W]`.
  ///   - owner: Kept alive until the levels have been read, which on another device than the CPU is later; then it is let
  ///     go of by the thread that uses that device.
  /// - Returns: float32, `[N, C, H, W]` in channels-last format.
  public func callAsFunction(
    _ levels: UnsafeMutablePointer<UInt8>, shape: [Int], owner: AnyObject
  ) throws -> Tensor {
    precondition(shape.count == 4 && shape[1] == channels, "A batch has the channels of its normalisation.")
    let levels = try Tensor(borrowing: levels, CT_UINT8, shape: shape, owner: owner, on: device)
    return try result(of: "the normalisation of levels", using: levels, factor, offset) {
      ct_normalise_levels(levels.handle, factor.handle, offset.handle, $0)
    }
  }
}
