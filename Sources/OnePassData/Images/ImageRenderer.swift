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
  private let horizontal = ResizeAxis()
  private let vertical = ResizeAxis()
  /// One source row as floats.
  private let wide = ScratchBuffer<Float>(zero: 0)
  /// The rows that the vertical pass looks at, after the horizontal pass: `taps` of them, in a ring.
  private let ring = ScratchBuffer<Float>(zero: 0)
  private let ringRows: ScratchBuffer<UnsafePointer<Float>>
  private let mirrored = ScratchBuffer<UInt8>(zero: 0)
  /// The normalisation of a whole row: value = level · factor + offset.
  private let factor = ScratchBuffer<Float>(zero: 0)
  private let offset = ScratchBuffer<Float>(zero: 0)

  public init(pipeline: ImagePipeline, limits: ImageLimits = ImageLimits()) {
    self.pipeline = pipeline
    decoder = ImageDecoder(limits: limits)
    let count = pipeline.size * pipeline.channels
    let factor = factor.reserve(count)
    let offset = offset.reserve(count)
    for index in 0..<count {
      let mean = pipeline.normalisation.mean[index % pipeline.channels]
      let deviation = pipeline.normalisation.deviation[index % pipeline.channels]
      factor[index] = 1 / (255 * deviation)
      offset[index] = -mean / deviation
    }
    ringRows = ScratchBuffer(zero: UnsafePointer(factor))
  }

  /// Writes one view of an image: float32, normalised, `[size, size, channels]`.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded; `slot` is then left as it was.
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
    try decoder.withPixels(of: image, channels: pipeline.channels) { source in
      if window.columns.count < window.size || window.rows.count < window.size { blacken(target) }
      guard !window.columns.isEmpty, !window.rows.isEmpty else { return }
      if source.width == window.plane, source.height == window.plane {
        copy(source, window, into: target)
      } else {
        resize(source, window, into: target)
      }
    }
  }

  /// Level 0, normalised, everywhere: what padding looks like to the model.
  private func blacken(_ target: UnsafeMutablePointer<Float>) {
    let count = pipeline.size * pipeline.channels
    for row in 0..<pipeline.size { (target + row * count).update(from: offset.base, count: count) }
  }

  /// The case in which the image has the plane's size.
  private func copy(_ source: PixelRows, _ window: CropWindow, into target: UnsafeMutablePointer<Float>) {
    let channels = pipeline.channels
    let count = window.columns.count * channels
    let line = mirrored.reserve(count)
    for row in window.rows {
      var pixels = source.row(row) + window.columns.lowerBound * channels
      if window.isFlipped {
        RowKernels.reverse(pixels, into: line, pixels: window.columns.count, channels: channels)
        pixels = UnsafePointer(line)
      }
      RowKernels.normalise(
        pixels, factor: factor.base, offset: offset.base, into: start(of: row, window, target), count: count)
    }
  }

  /// Both passes of the resize, over no more rows and columns than the window shows.
  private func resize(_ source: PixelRows, _ window: CropWindow, into target: UnsafeMutablePointer<Float>) {
    let channels = pipeline.channels
    horizontal.prepare(input: source.width, output: window.plane)
    vertical.prepare(input: source.height, output: window.plane)
    let inputs = horizontal.inputRange(of: window.columns)
    let count = window.columns.count * channels
    let taps = vertical.taps
    let stride = count + RowKernels.slack
    let wide = wide.reserve(inputs.count * channels + RowKernels.slack)
    let ring = ring.reserve(taps * stride)
    let rows = ringRows.reserve(taps)
    var next = 0
    for row in window.rows {
      let first = Int(vertical.starts[row])
      next = max(next, first)
      while next < first + taps {
        RowKernels.widen(
          source.row(next) + inputs.lowerBound * channels, into: wide, count: inputs.count * channels)
        let place = ring + next % taps * stride
        if channels == 3 {
          RowKernels.resizeColumns3(
            wide, firstInput: inputs.lowerBound, axis: horizontal, outputs: window.columns,
            isFlipped: window.isFlipped, into: place)
        } else {
          RowKernels.resizeColumns1(
            wide, firstInput: inputs.lowerBound, axis: horizontal, outputs: window.columns,
            isFlipped: window.isFlipped, into: place)
        }
        next += 1
      }
      for tap in 0..<taps { rows[tap] = UnsafePointer(ring + (first + tap) % taps * stride) }
      RowKernels.blendRows(
        rows, weights: vertical.weights + row * taps, nudge: vertical.nudges[row], taps: taps,
        factor: factor.base, offset: offset.base,
        into: start(of: row, window, target), count: count)
    }
  }

  /// Where the visible part of a plane row begins in the output.
  private func start(
    of row: Int, _ window: CropWindow, _ target: UnsafeMutablePointer<Float>
  ) -> UnsafeMutablePointer<Float> {
    target + ((row - window.top) * window.size + window.firstOutputColumn) * pipeline.channels
  }
}
