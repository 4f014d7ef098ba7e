import OnePassCore
import OnePassData

extension RunConfiguration {
  /// In which form the memory keeps an image.
  var storedFormat: StoredFormat {
    StoredFormat(memory.encoding, size: memory.imageSize, quality: memory.quality)
  }

  /// The form in words, where it is not that of the paper: `JPEGs of 24 x 24 and quality 50 kept`.
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

  /// - Throws: `OnePassError` (`usage`) if the memory's images would be larger than what crops are taken from.
  func checkMemorySize(_ pipeline: ImagePipeline) throws {
    guard let size = memory.imageSize, size > pipeline.plane else { return }
    throw OnePassError(
      .usage,
      "--memory-size \(size) is larger than the \(pipeline.plane) x \(pipeline.plane) pixels from which crops are taken: "
        + "give at most \(pipeline.plane), or leave it out.")
  }
}
