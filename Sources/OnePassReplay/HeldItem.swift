import OnePassCore

/// The data of an item except its priority, before ``ItemTable`` stores it in fewer bytes.
struct HeldItem: Sendable {
  let image: HeldImage
  let arrival: Int
  let label: Int32
  /// The loss at insertion or of the last refresh; the running average, if priorities use it.
  let loss: Float
  let draws: UInt32
  /// The note; `nil` if the memory stores none.
  let note: ItemNote?

  init(_ example: Example, storedAs image: HeldImage, loss: Float, note: ItemNote?) {
    self.image = image
    arrival = example.id
    label = Int32(example.label)
    self.loss = loss
    draws = 0
    self.note = note
  }

  init(_ item: MemoryItem, image: HeldImage) {
    self.image = image
    arrival = item.id
    label = Int32(item.label)
    loss = item.loss
    draws = UInt32(item.draws)
    note = item.note
  }
}

/// The image of an item, or its size if an ``ImageStore`` has it.
enum HeldImage: Sendable {
  case here(EncodedImage)
  case elsewhere(bytes: Int)

  var byteCount: Int {
    switch self {
    case .here(let image): image.byteCount
    case .elsewhere(let bytes): bytes
    }
  }
}
