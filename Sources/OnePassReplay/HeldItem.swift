import OnePassCore

/// The image of an item, or how large it is where it lies elsewhere: in a file on disk.
enum HeldImage: Sendable {
  case here(EncodedImage)
  case elsewhere(bytes: Int)

  var byteCount: Int {
    switch self {
    case .here(let image): image.bytes.count
    case .elsewhere(let bytes): bytes
    }
  }
}

/// All that the memory keeps of one example, side by side, so that a draw touches one place.
struct HeldItem: Sendable {
  var image: HeldImage
  var arrival: Int
  var label: Int32
  /// The loss with which it came in, or that of its last refresh.
  var loss: Float
  var priority: Float
  var draws: UInt32 = 0

  init(_ example: Example, storedAs image: HeldImage, loss: Float, priority: Float) {
    self.image = image
    arrival = example.id
    label = Int32(example.label)
    self.loss = loss
    self.priority = priority
  }

  init(_ item: MemoryItem, image: HeldImage) {
    self.image = image
    arrival = item.id
    label = Int32(item.label)
    loss = item.loss
    priority = item.priority
    draws = UInt32(item.draws)
  }

  /// What selectors may know of it.
  var facts: ItemFacts { ItemFacts(priority: priority, arrival: arrival, draws: Int(draws)) }

  /// What an item costs beside its encoded bytes: its place in the array, and its byte array's header.
  static let indexBytes = MemoryLayout<HeldItem>.stride + arrayHeaderBytes

  /// The header of a Swift array on a 64-bit machine: type, reference count, count, capacity.
  private static let arrayHeaderBytes = 32
}
