import CImages
import OnePassCore

/// Carries out an ``ImagePipeline`` for one image after the other, with memory that it uses again.
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
  /// The normalisation of a whole row: value = level · factor + offset.
  private let factor = ScratchBuffer<Float>(zero: 0)
  private let offset = ScratchBuffer<Float>(zero: 0)

  public init(pipeline: ImagePipeline, limits: ImageLimits = ImageLimits()) {
    self.pipeline = pipeline
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
    try render(image, CropWindow(pipeline, view), into: slot)
  }

  func render(_ image: EncodedImage, _ window: CropWindow, into slot: UnsafeMutableBufferPointer<Float>)
    throws
  {
    guard let target = slot.baseAddress, slot.count == pipeline.elementsPerImage else {
      preconditionFailure("A slot holds exactly the numbers of one image.")
    }
    if window.columns.count < window.size || window.rows.count < window.size { blacken(target) }
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
        resizer.take(strip, factor: factor.base, offset: offset.base) { start(of: $0, window, target) }
      } else {
        copy(strip, window, into: target)
      }
    }
  }

  /// Level 0, normalised, everywhere: what padding looks like to the model.
  private func blacken(_ target: UnsafeMutablePointer<Float>) {
    let count = pipeline.size * pipeline.channels
    for row in 0..<pipeline.size { (target + row * count).update(from: offset.base, count: count) }
  }

  /// The case in which the image has the plane's size.
  private func copy(_ strip: PixelStrip, _ window: CropWindow, into target: UnsafeMutablePointer<Float>) {
    for row in strip.rows {
      cimages_normalise(
        strip.row(row), Int32(strip.step), Int32(pipeline.channels), window.isFlipped ? 1 : 0, factor.base,
        offset.base, start(of: row, window, target), Int32(window.columns.count))
    }
  }

  /// Where the visible part of a plane row begins in the output.
  private func start(
    of row: Int, _ window: CropWindow, _ target: UnsafeMutablePointer<Float>
  ) -> UnsafeMutablePointer<Float> {
    target + ((row - window.top) * window.size + window.firstOutputColumn) * pipeline.channels
  }
}
