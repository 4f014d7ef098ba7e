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
  /// The levels of a padded crop that is resampled to a smaller side.
  private let crop = ScratchBuffer<UInt8>(zero: 0)

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

  /// Writes one view of an image: float32, normalised, `[side, side, channels]`.
  ///
  /// A side smaller than the pipeline's shows the same window, resampled (antialiased bilinear): straight from the image where
  /// the pipeline resizes, from the padded crop where it pads.
  ///
  /// Of a JPEG only the part that the view shows is decoded, with the same pixels as if it were the whole. Damage
  /// behind that part is not seen; that the file ends early is.
  /// - Parameters:
  ///   - image: encoded.
  ///   - view: which crop of it.
  ///   - side: pixels of a side of what is written; the pipeline's if `nil`.
  ///   - slot: where it is written.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded; `slot` then holds anything.
  /// - Precondition: a side from 1 to the pipeline's; `slot` holds `side · side · channels` numbers.
  public func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, side: Int? = nil,
    into slot: UnsafeMutableBufferPointer<Float>
  ) throws {
    let side = side ?? pipeline.size
    try render(image, view, side, into: .float32(start(of: slot, side)))
  }

  /// Writes the same view as 8-bit levels, not normalised.
  /// - Parameters:
  ///   - image: encoded.
  ///   - view: which crop of it.
  ///   - side: pixels of a side of what is written; the pipeline's if `nil`.
  ///   - slot: where it is written.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded; `slot` then holds anything.
  /// - Precondition: a side from 1 to the pipeline's; `slot` holds `side · side · channels` numbers.
  public func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, side: Int? = nil,
    into slot: UnsafeMutableBufferPointer<UInt8>
  ) throws {
    let side = side ?? pipeline.size
    try render(image, view, side, into: .uint8(start(of: slot, side)))
  }

  private func start<Number>(
    of slot: UnsafeMutableBufferPointer<Number>, _ side: Int
  ) -> UnsafeMutablePointer<Number> {
    precondition((1...pipeline.size).contains(side), "A view is not larger than the pipeline's.")
    guard let start = slot.baseAddress, slot.count == side * side * pipeline.channels else {
      preconditionFailure("A slot holds exactly the numbers of one image.")
    }
    return start
  }

  private func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, _ side: Int, into target: RowWriter.Target
  ) throws {
    let window = CropWindow(pipeline, view, side: side)
    guard case .augmented(let seed, let id, let visit) = view, let augmenter, augmenter.isNeeded(for: view)
    else { return try render(image, window, into: target) }
    try render(image, window, into: .uint8(augmenter.levels))
    augmenter.apply(seed: seed, id: id, visit: visit, side: side)
    let writer = writer(into: target)
    let count = side * pipeline.channels
    for row in 0..<side {
      writer.copy(
        augmenter.levels + row * count, step: pipeline.channels, isFlipped: false, to: row * count,
        count: side)
    }
  }

  private func writer(into target: RowWriter.Target) -> RowWriter {
    RowWriter(target: target, factor: factor.base, offset: offset.base, channels: pipeline.channels)
  }

  func render(_ image: EncodedImage, _ window: CropWindow, into target: RowWriter.Target) throws {
    if window.isReduced, case .padAndCrop = pipeline.geometry {
      return try renderPadded(image, window, into: target)
    }
    let writer = writer(into: target)
    if window.columns.count < window.side || window.rows.count < window.side {
      let count = window.side * pipeline.channels
      for row in 0..<window.side { writer.blacken(row * count, count: count) }
    }
    let header = try ImageHeader.read(image, limits: decoder.limits)
    // A padding so wide that the plane is not seen at all.
    guard !window.columns.isEmpty, !window.rows.isEmpty else { return }
    let isResized =
      window.isReduced || header.width != window.plane || header.height != window.plane
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

  /// Small images: the crop has black borders, and is resampled as a whole.
  private func renderPadded(
    _ image: EncodedImage, _ window: CropWindow, into target: RowWriter.Target
  ) throws {
    let (size, channels) = (window.size, pipeline.channels)
    let crop = crop.reserve(size * size * channels)
    try render(
      image,
      CropWindow(
        plane: window.plane, size: size, left: window.left, top: window.top, isFlipped: window.isFlipped),
      into: .uint8(crop))
    let whole = CropWindow(plane: size, size: size, side: window.side, left: 0, top: 0, isFlipped: false)
    let region = resizer.begin(whole, width: size, height: size)
    let strip = PixelStrip(
      base: UnsafePointer(crop) + region.columns.lowerBound * channels, rows: 0..<size,
      stride: size * channels,
      step: channels)
    resizer.take(strip, into: writer(into: target)) { start(of: $0, whole) }
  }

  /// The number of the image with which the visible part of a row begins.
  private func start(of row: Int, _ window: CropWindow) -> Int {
    (window.outputRow(of: row) * window.side + window.firstOutputColumn) * pipeline.channels
  }
}
