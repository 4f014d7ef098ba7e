import OnePassCore

/// All that the memory keeps of one example, side by side, so that a draw touches one place.
struct HeldItem: Sendable {
  var image: EncodedImage
  var arrival: Int
  var label: Int32
  /// The loss with which it came in, or that of its last refresh.
  var loss: Float
  var priority: Float
  var draws: UInt32 = 0

  init(_ example: Example, storedAs image: EncodedImage, loss: Float, priority: Float) {
    self.image = image
    arrival = example.id
    label = Int32(example.label)
    self.loss = loss
    self.priority = priority
  }

  init(_ item: MemoryItem, image: EncodedImage) {
    self.image = image
    arrival = item.id
    label = Int32(item.label)
    loss = item.loss
    priority = item.priority
    draws = UInt32(item.draws)
  }

  var example: Example { Example(id: arrival, label: Int(label), image: image) }

  /// What selectors may know of it.
  var facts: ItemFacts { ItemFacts(priority: priority, arrival: arrival, draws: Int(draws)) }

  /// What an item costs beside its encoded bytes: its place in the array, and its byte array's header.
  static let indexBytes = MemoryLayout<HeldItem>.stride + arrayHeaderBytes

  /// The header of a Swift array on a 64-bit machine: type, reference count, count, capacity.
  private static let arrayHeaderBytes = 32
}
