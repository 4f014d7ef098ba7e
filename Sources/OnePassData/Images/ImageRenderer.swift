import OnePassCore

/// Applies an ``ImagePipeline`` and an ``Augmentation`` to images, reusing its memory.
///
/// Use one renderer per thread; it is not Sendable. In the steady state only libjpeg and libspng allocate memory.
///
/// ```swift
/// let renderer = ImageRenderer(pipeline: pipeline)
/// try renderer.render(example.image, .centre, into: slot)  // [size, size, channels]
/// ```
public final class ImageRenderer {
  /// The steps applied to each image.
  public let pipeline: ImagePipeline
  /// Whether the last image is stored rotated or mirrored, by metadata that the pipeline may ignore.
  private(set) var isRotated = false
  private let decoder: ImageDecoder
  private let resizer: RowResizer
  /// `nil` if no view is augmented beyond crop and flip.
  private let augmenter: ImageAugmenter?
  /// The normalisation of a whole row: value = level · factor + offset.
  private let factor = ScratchBuffer<Float>(zero: 0)
  private let offset = ScratchBuffer<Float>(zero: 0)

  /// Creates a renderer.
  /// - Parameters:
  ///   - pipeline: The steps applied to each image.
  ///   - limits: The largest image that is decoded.
  ///   - augmentation: The augmentation of augmented views beyond crop and flip.
  public convenience init(
    pipeline: ImagePipeline, limits: ImageLimits = ImageLimits(), augmentation: Augmentation = .standard
  ) {
    self.init(pipeline: pipeline, limits: limits, augmentation: augmentation, memory: .shared)
  }

  init(
    pipeline: ImagePipeline, limits: ImageLimits, augmentation: Augmentation, memory: DecodeMemory
  ) {
    self.pipeline = pipeline
    augmenter = augmentation.choice.isStandard ? nil : ImageAugmenter(augmentation, pipeline: pipeline)
    decoder = ImageDecoder(limits: limits, orientation: pipeline.orientation, memory: memory)
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

  /// Renders one view of an image as normalised float32, `[size, size, channels]`.
  ///
  /// Only the visible part of a JPEG is decoded, with the same pixels as in the whole image. Damage after that part is
  /// not detected, but truncation of the file is.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded; the contents of `slot` are then undefined.
  /// - Precondition: `slot` has `pipeline.elementsPerImage` elements.
  public func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, into slot: UnsafeMutableBufferPointer<Float>
  ) throws {
    try render(image, view, into: .float32(Self.start(of: slot, pipeline)))
  }

  /// Renders one view of an image as levels 0 … 255, `[size, size, channels]`, without normalisation.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded; the contents of `slot` are then undefined.
  /// - Precondition: `slot` has `pipeline.elementsPerImage` elements.
  public func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, into slot: UnsafeMutableBufferPointer<UInt8>
  ) throws {
    try render(image, view, into: .uint8(Self.start(of: slot, pipeline)))
  }

  private static func start<Number>(
    of slot: UnsafeMutableBufferPointer<Number>, _ pipeline: ImagePipeline
  ) -> UnsafeMutablePointer<Number> {
    guard let start = slot.baseAddress, slot.count == pipeline.elementsPerImage else {
      preconditionFailure("A slot must have exactly the elements of one image.")
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
    let header = try decoder.header(of: image)
    isRotated = header.isRotated
    // The crop contains only padding.
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

  /// The output element at which the visible part of a plane row starts.
  private func start(of row: Int, _ window: CropWindow) -> Int {
    ((row - window.top) * window.size + window.firstOutputColumn) * pipeline.channels
  }
}
