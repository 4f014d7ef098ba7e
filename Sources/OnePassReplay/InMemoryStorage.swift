import OnePassCore

/// The encoded images that the memory holds, in RAM, in slots `0 ..< count` without gaps.
struct InMemoryStorage: Sendable {
  private var images: [EncodedImage] = []
  private var labels: [Int32] = []

  /// What an item costs beside its encoded bytes: its places in the two arrays and its byte array's header.
  static let bytesPerItem =
    MemoryLayout<EncodedImage>.stride + MemoryLayout<Int32>.stride + arrayHeaderBytes

  /// The header of a Swift array on a 64-bit machine: type, reference count, count, capacity.
  private static let arrayHeaderBytes = 32

  var count: Int { images.count }

  func image(at slot: Int) -> EncodedImage { images[slot] }
  func label(at slot: Int) -> Int { Int(labels[slot]) }

  mutating func append(_ example: Example) {
    images.append(example.image)
    labels.append(Int32(example.label))
  }

  mutating func replace(_ slot: Int, with example: Example) {
    images[slot] = example.image
    labels[slot] = Int32(example.label)
  }

  /// Removes the item in `slot`; the item of the last slot moves there.
  mutating func remove(_ slot: Int) {
    images.swapAt(slot, images.count - 1)
    labels.swapAt(slot, labels.count - 1)
    images.removeLast()
    labels.removeLast()
  }
}
