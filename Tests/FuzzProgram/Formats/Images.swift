import OnePassCore
import OnePassData

/// The readers of images, which are reused for many images, as in the program.
private struct ImageReaders {
  let decoders = [ImageDecoder(), ImageDecoder(orientation: .apply)]
  let renderers: [ImageRenderer]
  let forms: [StoredForm]

  init() {
    let pipelines = [3, 1].flatMap { channels in
      [
        ImagePipeline(size: 28, channels: channels, geometry: .resizeAndCrop(resize: 31)),
        ImagePipeline(size: 32, channels: channels, geometry: .padAndCrop(padding: 4)),
      ]
    }
    renderers = pipelines.map { ImageRenderer(pipeline: $0) }
    forms =
      pipelines.map { StoredForm(.resized, pipeline: $0) } + [StoredForm(.pixels, pipeline: pipelines[0])]
  }
}

nonisolated(unsafe) private let readers = ImageReaders()

extension Format {
  /// Reads the header, and then the whole image, a view for training or evaluation, or the stored form of a memory.
  func readImage(_ bytes: [UInt8]) throws {
    let image = EncodedImage(bytes: bytes)
    _ = try ImageHeader.read(image)
    // The choice is a function of the file.
    let choice = Int(Checksums.crc32(bytes) >> 3)
    func one<Element>(of list: [Element]) -> Element { list[(choice >> 2) % list.count] }
    switch choice & 3 {
    case 0: _ = try one(of: readers.decoders).decode(image, channels: choice & 8 == 0 ? 3 : 1)
    case 1: _ = try one(of: readers.forms)(image)
    case let way:
      let renderer = one(of: readers.renderers)
      var slot = [Float](repeating: 0, count: renderer.pipeline.elementsPerImage)
      try slot.withUnsafeMutableBufferPointer {
        try renderer.render(image, way == 2 ? .centre : .augmented(seed: 1, id: choice, visit: 0), into: $0)
      }
    }
  }
}
