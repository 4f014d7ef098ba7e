/// The mean and the standard deviation of each channel: a level v becomes (v / 255 − mean) / deviation.
///
/// ```swift
/// let pipeline = ImagePipeline(size: 32, channels: 3, geometry: .padAndCrop(padding: 4), normalisation: .imageNet)
/// ```
public struct Normalisation: Hashable, Sendable, Codable {
  /// The mean of each channel, 0 … 1.
  public let mean: [Float]
  /// The standard deviation of each channel, above 0, on the same scale.
  public let deviation: [Float]

  /// Creates a normalisation.
  /// - Precondition: As many means as deviations, and every deviation above 0.
  public init(mean: [Float], deviation: [Float]) {
    precondition(
      mean.count == deviation.count && deviation.allSatisfy { $0 > 0 },
      "A normalisation needs a mean and a positive deviation for each channel.")
    self.mean = mean
    self.deviation = deviation
  }

  /// ImageNet's values for red, green and blue, as torchvision's models expect them.
  public static let imageNet = Normalisation(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

  /// The average of ImageNet's three channels, for grey images.
  public static let grey = Normalisation(mean: [0.449], deviation: [0.226])

  /// The default for a number of channels: ``imageNet`` for 3, ``grey`` for 1.
  public static func standard(channels: Int) -> Normalisation { channels == 1 ? .grey : .imageNet }
}
