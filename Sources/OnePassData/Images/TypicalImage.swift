extension ImagePipeline {
  /// The smallest share of coloured images for which a stream counts as coloured.
  static let colourShare = 0.1

  /// Chooses a pipeline for a stream by the typical one of its first images, with
  /// ``automatic(typicalImage:size:channels:orientation:)``.
  ///
  /// The typical image is the median by shorter side, the smaller of two in the middle. Without `channels`, files are decoded to
  /// colour, and raw pixels are if at least a tenth of the images has colours.
  /// - Precondition: at least one image.
  /// - Throws: `OnePassError` (`usage`) if `size` is not 1 … 4096.
  public static func automatic(
    images: [ImageHeader], size: Int? = nil, channels: Int? = nil, orientation: OrientationPolicy = .ignore
  ) throws -> ImagePipeline {
    precondition(!images.isEmpty, "A pipeline is chosen by at least one image.")
    let sorted = images.sorted { $0.sides.lexicographicallyPrecedes($1.sides) }
    let coloured = images.count { $0.format != nil || $0.channels == 3 }
    let isColoured = Double(coloured) >= colourShare * Double(images.count)
    return try automatic(
      typicalImage: sorted[(sorted.count - 1) / 2], size: size, channels: channels ?? (isColoured ? 3 : 1),
      orientation: orientation)
  }

  /// A notice if another of the images would have led to another size; otherwise `nil`, also with an explicit size.
  package func noticeOfSizes(_ images: [ImageHeader], chosen size: Int?) throws -> String? {
    guard size == nil, let first = images.first else { return nil }
    let isMixed = try images.contains { try Self.automatic(typicalImage: $0).size != self.size }
    guard isMixed else { return nil }
    let ends = images.reduce((first, first)) { ends, image in
      (
        image.sides.lexicographicallyPrecedes(ends.0.sides) ? image : ends.0,
        ends.1.sides.lexicographicallyPrecedes(image.sides) ? image : ends.1
      )
    }
    return
      "Image sizes of the first \(images.count) examples range from \(ends.0.width) x \(ends.0.height) to "
      + "\(ends.1.width) x \(ends.1.height); trained at \(self.size) pixels. Pass --image-size for another size."
  }
}

extension ImageHeader {
  /// The shorter side, then the longer one.
  fileprivate var sides: [Int] { [min(width, height), max(width, height)] }
}
