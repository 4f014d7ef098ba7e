import CImages

/// Resizes and normalises the visible part of an image while its rows are decoded.
///
/// The horizontal pass precedes the vertical one. Not Sendable, because it reuses its memory.
final class RowResizer {
  /// The number of rows that are widened together, and of floats after the end of a row that the horizontal pass writes.
  private static let lanes = 4
  private static let slack = 1

  private let channels: Int
  private let axes = ResizeAxes()
  private var horizontal = ResizeAxis()
  private var vertical = ResizeAxis()
  /// Source rows as floats: four interleaved, or one of grey.
  private let wide = ScratchBuffer<Float>(zero: 0)
  /// A ring of rows after the horizontal pass: those that the vertical pass reads, and newer ones.
  private let ring = ScratchBuffer<Float>(zero: 0)
  /// Pointers to the rows that a pass reads or writes.
  private let tapRows: ScratchBuffer<UnsafePointer<Float>>
  private let sources: ScratchBuffer<UnsafePointer<UInt8>>
  private let targets: ScratchBuffer<UnsafeMutablePointer<Float>>
  private var window = CropWindow(plane: 1, size: 1, left: 0, top: 0, isFlipped: false)
  private var region = PixelRegion(rows: 0..<1, columns: 0..<1)
  /// The next row of the source, and the next row of the plane.
  private var nextInput = 0
  private var nextOutput = 0

  init(channels: Int) {
    self.channels = channels
    tapRows = ScratchBuffer(zero: UnsafePointer(ring.base))
    sources = ScratchBuffer(zero: UnsafeRawPointer(ring.base).assumingMemoryBound(to: UInt8.self))
    targets = ScratchBuffer(zero: ring.base)
    sources.reserve(Self.lanes)
    targets.reserve(Self.lanes)
  }

  /// Starts an image of a size. The window must show a part of the plane.
  /// - Returns: The region of the source that ``take(_:into:start:)`` needs.
  func begin(_ window: CropWindow, width: Int, height: Int) -> PixelRegion {
    horizontal = axes.axis(input: width, output: window.plane)
    vertical = axes.axis(input: height, output: window.plane, keeping: horizontal)
    region = PixelRegion(
      rows: vertical.inputRange(of: window.rows), columns: horizontal.inputRange(of: window.columns))
    self.window = window
    nextInput = region.rows.lowerBound
    nextOutput = window.rows.lowerBound
    ring.reserve((vertical.taps + Self.lanes - 1) * ringStride)
    tapRows.reserve(vertical.taps)
    wide.reserve(region.columns.count * (channels == 3 ? 4 * Self.lanes : 1))
    return region
  }

  private var ringStride: Int { window.columns.count * channels + Self.slack }

  /// Reads the next rows of the source, and writes the output rows that they complete.
  /// - Parameter start: Returns the output element at which the visible part of a plane row starts.
  func take(_ strip: PixelStrip, into writer: RowWriter, start: (Int) -> Int) {
    let (window, taps, stride, lanes) = (window, vertical.taps, ringStride, channels == 3 ? Self.lanes : 1)
    let rows = taps + Self.lanes - 1
    let count = window.columns.count * channels
    let (ring, tapRows, targets) = (ring.base, tapRows.base, targets.base)
    let (starts, weights, nudges) = (vertical.starts, vertical.weights, vertical.nudges)
    var (input, made) = (nextInput, nextOutput)
    while input < strip.rows.upperBound {
      for lane in 0..<lanes { targets[lane] = ring + (input + lane) % rows * stride }
      if channels == 3 {
        resizeFour(strip, from: input)
      } else {
        resizeGrey(strip.row(input), into: targets[0])
      }
      input = min(input + lanes, strip.rows.upperBound)
      while made < window.rows.upperBound, Int(starts[made]) + taps <= input {
        let first = Int(starts[made])
        for tap in 0..<taps { tapRows[tap] = UnsafePointer(ring + (first + tap) % rows * stride) }
        writer.blend(
          tapRows, weights: weights + made * taps, nudge: nudges[made], taps: taps, to: start(made),
          count: count)
        made += 1
      }
    }
    (nextInput, nextOutput) = (input, made)
  }

  /// The horizontal pass over four rows. After the strip's end, the last row replaces missing ones.
  private func resizeFour(_ strip: PixelStrip, from row: Int) {
    let columns = window.columns
    for lane in 0..<Self.lanes { sources.base[lane] = strip.row(min(row + lane, strip.rows.upperBound - 1)) }
    cimages_resize_columns4(
      sources.base, Int32(strip.step), Int32(region.columns.lowerBound), horizontal.kernel,
      Int32(window.isFlipped ? columns.upperBound - 1 : columns.lowerBound), window.isFlipped ? -1 : 1,
      Int32(columns.count), wide.base, targets.base)
  }

  private func resizeGrey(_ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<Float>) {
    RowKernels.widen(source, into: wide.base, count: region.columns.count)
    RowKernels.resizeColumns1(
      wide.base, firstInput: region.columns.lowerBound, axis: horizontal, outputs: window.columns,
      isFlipped: window.isFlipped, into: target)
  }
}
