/// A fixed binomial low-pass filter that reduces aliasing when applied before a strided convolution.
///
/// Each channel is convolved with [1, 2, 1]ᵀ[1, 2, 1] / 16, with stride 1 and zero padding 1. The filter has no parameters and
/// is not in the state dictionary, so the same weights fit a model with and without it.
///
/// Source: Zhang 2019, "Making Convolutional Networks Shift-Invariant Again". It is applied before the convolution and not
/// after its activation, as in FFCV's recipe for ResNets.
///
/// ```swift
/// let blur = try Blur2d(16)
/// let smooth = try blur(images)  // [N, 16, H, W] → [N, 16, H, W]
/// ```
public struct Blur2d {
  /// The minimum number of channels that are blurred, so that the input images are not.
  public static let fewestChannels = 16

  /// `[channels, 1, 3, 3]`.
  private let filters: Tensor

  /// Creates a filter.
  /// - Parameters:
  ///   - channels: C of its input, `[N, C, H, W]`.
  ///   - device: The device of its input.
  public init(_ channels: Int, on device: Device = .cpu) throws {
    let weights: [Float] = [1, 2, 1, 2, 4, 2, 1, 2, 1].map { $0 / 16 }
    filters = try Tensor(
      (0..<channels).flatMap { _ in weights }, shape: [channels, 1, 3, 3], on: device)
  }

  /// Filters a batch of shape `[N, channels, H, W]`, which it keeps.
  /// - Throws: `OnePassError` (`engine`) if the number of channels differs.
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    try conv2d(input, weight: filters, padding: 1)
  }
}
