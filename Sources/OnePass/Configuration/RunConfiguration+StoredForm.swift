import OnePassCore
import OnePassData

extension RunConfiguration {
  /// The encoding of images in the memory.
  var storedFormat: StoredFormat {
    StoredFormat(memory.encoding, size: memory.imageSize, quality: memory.quality)
  }

  /// The encoding in a title, as `JPEGs of 24 x 24 and quality 50 kept`; `nil` for that of the paper.
  var storedFormTitle: String? {
    let size = memory.imageSize.map { "of \($0) x \($0)" }
    let quality = memory.quality.map { "\(size == nil ? "of" : "and") quality \($0)" }
    switch memory.encoding {
    case .original: return nil
    case .pixels: return "pixels kept"
    case .resized where size == nil && quality == nil: return "resized JPEGs kept"
    case .resized: return (["JPEGs"] + [size, quality].compactMap(\.self) + ["kept"]).joined(separator: " ")
    }
  }

  /// Checks that the images of the memory are not larger than the images that crops are taken from.
  /// - Throws: `OnePassError` (`usage`) if they are.
  func checkMemorySize(_ pipeline: ImagePipeline) throws {
    guard let size = memory.imageSize, size > pipeline.plane else { return }
    throw OnePassError.memorySizeExceedsCropSource(size, cropSource: pipeline.plane)
  }
}
