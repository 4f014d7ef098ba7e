import OnePassCore

/// Encoded images with their labels, each once, in uniformly random order.
protocol ShuffledImages: AnyObject {
  var count: Int { get }
  /// Returns the next image. Called `count` times.
  func next() throws -> (label: Int, file: [UInt8])
}

/// The random draws of packing, as the `visit` of `SeededGenerator.Purpose.streamOrder`. A source with the same seed
/// uses visit 0 for its order, which must be a different one.
enum PackingDraw {
  static let order = 1
  static let bucket = 2
  static let bucketOrder = 3
}

/// The examples of a source with random access, in random order.
final class ShuffledTable: ShuffledImages {
  private let source: any RandomAccessSource
  private let order: [UInt32]
  private var position = 0

  init(_ source: any RandomAccessSource, seed: UInt64) {
    self.source = source
    var generator = SeededGenerator(seed: seed, .streamOrder, 0, PackingDraw.order)
    order = randomOrder(of: source.count, using: &generator)
  }

  var count: Int { order.count }

  func next() throws -> (label: Int, file: [UInt8]) {
    let example = try source.example(at: Int(order[position]))
    position += 1
    return (example.label, try encodedFile(example.image))
  }
}

/// The image as a file: unchanged, or as PNG if it is raw pixels.
func encodedFile(_ image: EncodedImage) throws -> [UInt8] {
  switch image.encoding {
  case .file: return image.bytes
  case .pixels(let width, let height, let channels):
    return try encodePNG(image.bytes, width: width, height: height, channels: channels)
  }
}
