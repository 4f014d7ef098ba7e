import OnePassCore
import OnePassData
import OnePassReplay

/// Draws a picture of what the memory holds: eight by eight images at evenly spaced ranks of priority, the highest first.
///
/// Not Sendable: it keeps a decoder with its memory.
final class MemoryGrid {
  private let renderer: ImageRenderer

  private static let columns = 8
  private static let largestCount = 64
  /// Photographs are shown smaller than the model sees them.
  private static let largestSide = 64
  private static let gap = 2

  /// - Parameter pipeline: That of the run.
  init(_ pipeline: ImagePipeline) {
    let side = min(pipeline.size, Self.largestSide)
    renderer = ImageRenderer(
      pipeline: ImagePipeline(
        size: side, channels: pipeline.channels, geometry: .resizeAndCrop(resize: side)))
  }

  /// - Returns: `nil` if no image is here.
  /// - Throws: `OnePassError` if one cannot be read.
  func draw(_ memory: ReplayMemory) throws -> Picture? {
    let images = try memory.imagesByPriority(Self.largestCount)
    guard !images.isEmpty else { return nil }
    let (side, channels) = (renderer.pipeline.size, renderer.pipeline.channels)
    let columns = min(Self.columns, images.count)
    let rows = (images.count + columns - 1) / columns
    let (width, height) = (columns * (side + Self.gap) - Self.gap, rows * (side + Self.gap) - Self.gap)
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    var tile = [UInt8](repeating: 0, count: side * side * channels)
    for (index, image) in images.enumerated() {
      try tile.withUnsafeMutableBufferPointer { try renderer.render(image, .centre, into: $0) }
      let (top, left) = (index / columns * (side + Self.gap), index % columns * (side + Self.gap))
      for row in 0..<side {
        let start = ((top + row) * width + left) * channels
        pixels.replaceSubrange(
          start..<start + side * channels, with: tile[row * side * channels..<(row + 1) * side * channels])
      }
    }
    return Picture(width: width, height: height, channels: channels, pixels: pixels)
  }
}
