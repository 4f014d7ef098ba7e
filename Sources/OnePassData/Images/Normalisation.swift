/// The mean and the spread of each channel, which the model's input is freed of: (v / 255 − mean) / deviation.
///
/// ```swift
/// let pipeline = ImagePipeline(size: 32, channels: 3, geometry: .padAndCrop(padding: 4), normalisation: .imageNet)
/// ```
public struct Normalisation: Hashable, Sendable, Codable {
  /// One value a channel, on the scale 0 … 1.
  public let mean: [Float]
  /// One value a channel, on the scale 0 … 1, above 0.
  public let deviation: [Float]

  /// - Precondition: as many means as deviations, and every deviation above 0.
  public init(mean: [Float], deviation: [Float]) {
    precondition(
      mean.count == deviation.count && deviation.allSatisfy { $0 > 0 },
      "A normalisation needs a mean and a positive deviation for each channel.")
    self.mean = mean
    self.deviation = deviation
  }

  /// ImageNet's red, green and blue, as torchvision's models expect them.
  public static let imageNet = Normalisation(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

  /// The average of ImageNet's three channels, for grey images.
  public static let grey = Normalisation(mean: [0.449], deviation: [0.226])

  /// `imageNet` for 3 channels, `grey` for 1.
  public static func standard(channels: Int) -> Normalisation { channels == 1 ? .grey : .imageNet }
}
