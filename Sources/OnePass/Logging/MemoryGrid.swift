import OnePassCore
import OnePassData
import OnePassReplay

/// Draws a grid of up to 8 x 8 images of the memory, at evenly spaced ranks of priority from the highest.
///
/// It is not `Sendable`, because it has a decoder with buffers.
final class MemoryGrid {
  private let renderer: ImageRenderer

  private static let columns = 8
  private static let largestCount = 64
  /// The maximum side of an image in the grid; photographs are shown smaller than the model input.
  private static let largestSide = 64
  private static let gap = 2

  /// - Parameter pipeline: The image pipeline of the run.
  init(_ pipeline: ImagePipeline) {
    let side = min(pipeline.size, Self.largestSide)
    renderer = ImageRenderer(
      pipeline: ImagePipeline(
        size: side, channels: pipeline.channels, geometry: .resizeAndCrop(resize: side),
        orientation: pipeline.orientation))
  }

  /// - Returns: The grid; `nil` if this process has no images.
  /// - Throws: `OnePassError` if an image cannot be read.
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
