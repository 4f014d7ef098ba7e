/// A fixed binomial low-pass filter before a convolution that takes every second place, so that what it skips is not lost.
///
/// Each channel is convolved with [1, 2, 1]ᵀ[1, 2, 1] / 16, stride 1, with a border of one zero. It has no parameters and no place
/// in a state dictionary: weights fit a model with and without it.
///
/// Source: Zhang 2019, "Making Convolutional Networks Shift-Invariant Again"; before the convolution and not after its
/// activation, as in FFCV's recipe for ResNets.
///
/// ```swift
/// let blur = try Blur2d(16)
/// let smooth = try blur(images)  // [N, 16, H, W] → [N, 16, H, W]
/// ```
public struct Blur2d {
  /// The fewest channels that are blurred: the images themselves are not.
  public static let fewestChannels = 16

  /// `[channels, 1, 3, 3]`.
  private let filters: Tensor

  /// - Parameters:
  ///   - channels: of the images.
  ///   - device: where they lie.
  public init(_ channels: Int, on device: Device = .cpu) throws {
    let weights: [Float] = [1, 2, 1, 2, 4, 2, 1, 2, 1].map { $0 / 16 }
    filters = try Tensor(
      (0..<channels).flatMap { _ in weights }, shape: [channels, 1, 3, 3], on: device)
  }

  /// `[N, channels, H, W]` → the same shape; the same in training and evaluation.
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    try conv2d(input, weight: filters, padding: 1)
  }
}
