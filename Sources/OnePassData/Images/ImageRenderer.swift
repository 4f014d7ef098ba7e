import OnePassCore

/// Carries out an ``ImagePipeline``, and an ``Augmentation``, for one image after the other, with memory that it uses again.
///
/// One per thread, not Sendable. In the steady state it allocates nothing but what libjpeg and libspng do.
///
/// ```swift
/// let renderer = ImageRenderer(pipeline: pipeline)
/// try renderer.render(example.image, .centre, into: slot)  // [size, size, channels]
/// ```
public final class ImageRenderer {
  public let pipeline: ImagePipeline
  private let decoder: ImageDecoder
  private let resizer: RowResizer
  /// `nil` where no view is augmented beyond crop and flip.
  private let augmenter: ImageAugmenter?
  /// The normalisation of a whole row: value = level · factor + offset.
  private let factor = ScratchBuffer<Float>(zero: 0)
  private let offset = ScratchBuffer<Float>(zero: 0)

  /// - Parameters:
  ///   - pipeline: what is done to each image.
  ///   - limits: the largest image that is decoded.
  ///   - augmentation: what augmented views get beyond crop and flip.
  public init(
    pipeline: ImagePipeline, limits: ImageLimits = ImageLimits(), augmentation: Augmentation = .standard
  ) {
    self.pipeline = pipeline
    augmenter = augmentation.choice.isStandard ? nil : ImageAugmenter(augmentation, pipeline: pipeline)
    decoder = ImageDecoder(limits: limits)
    resizer = RowResizer(channels: pipeline.channels)
    let count = pipeline.size * pipeline.channels
    let factor = factor.reserve(count)
    let offset = offset.reserve(count)
    for index in 0..<count {
      let mean = pipeline.normalisation.mean[index % pipeline.channels]
      let deviation = pipeline.normalisation.deviation[index % pipeline.channels]
      factor[index] = 1 / (255 * deviation)
      offset[index] = -mean / deviation
    }
  }

  /// Writes one view of an image: float32, normalised, `[size, size, channels]`.
  ///
  /// Of a JPEG only the part that the view shows is decoded, with the same pixels as if it were the whole. Damage
  /// behind that part is not seen; that the file ends early is.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded; `slot` then holds anything.
  /// - Precondition: `slot` holds `pipeline.elementsPerImage` numbers.
  public func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, into slot: UnsafeMutableBufferPointer<Float>
  ) throws {
    try render(image, view, into: .float32(Self.start(of: slot, pipeline)))
  }

  /// Writes the same view as 8-bit levels, not normalised.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded; `slot` then holds anything.
  /// - Precondition: `slot` holds `pipeline.elementsPerImage` numbers.
  public func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, into slot: UnsafeMutableBufferPointer<UInt8>
  ) throws {
    try render(image, view, into: .uint8(Self.start(of: slot, pipeline)))
  }

  private static func start<Number>(
    of slot: UnsafeMutableBufferPointer<Number>, _ pipeline: ImagePipeline
  ) -> UnsafeMutablePointer<Number> {
    guard let start = slot.baseAddress, slot.count == pipeline.elementsPerImage else {
      preconditionFailure("A slot holds exactly the numbers of one image.")
    }
    return start
  }

  private func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, into target: RowWriter.Target
  ) throws {
    let window = CropWindow(pipeline, view)
    guard case .augmented(let seed, let id, let visit) = view, let augmenter, augmenter.isNeeded(for: view)
    else { return try render(image, window, into: target) }
    try render(image, window, into: .uint8(augmenter.levels))
    augmenter.apply(seed: seed, id: id, visit: visit)
    let writer = writer(into: target)
    let count = pipeline.size * pipeline.channels
    for row in 0..<pipeline.size {
      writer.copy(
        augmenter.levels + row * count, step: pipeline.channels, isFlipped: false, to: row * count,
        count: pipeline.size)
    }
  }

  private func writer(into target: RowWriter.Target) -> RowWriter {
    RowWriter(target: target, factor: factor.base, offset: offset.base, channels: pipeline.channels)
  }

  func render(_ image: EncodedImage, _ window: CropWindow, into target: RowWriter.Target) throws {
    let writer = writer(into: target)
    if window.columns.count < window.size || window.rows.count < window.size {
      let count = pipeline.size * pipeline.channels
      for row in 0..<pipeline.size { writer.blacken(row * count, count: count) }
    }
    let header = try ImageHeader.read(image, limits: decoder.limits)
    // A padding so wide that the plane is not seen at all.
    guard !window.columns.isEmpty, !window.rows.isEmpty else { return }
    let isResized = header.width != window.plane || header.height != window.plane
    let region =
      isResized
      ? resizer.begin(window, width: header.width, height: header.height)
      : PixelRegion(rows: window.rows, columns: window.columns)
    try decoder.forEachStrip(
      of: image, header, channels: pipeline.channels, isPadded: pipeline.channels == 3, region: region
    ) { strip in
      if isResized {
        resizer.take(strip, into: writer) { start(of: $0, window) }
      } else {
        for row in strip.rows {
          writer.copy(
            strip.row(row), step: strip.step, isFlipped: window.isFlipped, to: start(of: row, window),
            count: window.columns.count)
        }
      }
    }
  }

  /// The number of the image with which the visible part of a plane row begins.
  private func start(of row: Int, _ window: CropWindow) -> Int {
    ((row - window.top) * window.size + window.firstOutputColumn) * pipeline.channels
  }
}
