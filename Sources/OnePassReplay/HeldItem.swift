import OnePassCore

/// What the memory keeps of one example but for its priority, as it is handed in; ``ItemTable`` holds it in fewer bytes.
struct HeldItem: Sendable {
  let image: HeldImage
  let arrival: Int
  let label: Int32
  /// The loss with which it came in, or that of its last refresh; the running average, where priorities go by it.
  let loss: Float
  let draws: UInt32
  /// Where the memory keeps them.
  let prediction: StoredPrediction?

  init(_ example: Example, storedAs image: HeldImage, loss: Float, prediction: StoredPrediction?) {
    self.image = image
    arrival = example.id
    label = Int32(example.label)
    self.loss = loss
    draws = 0
    self.prediction = prediction
  }

  init(_ item: MemoryItem, image: HeldImage) {
    self.image = image
    arrival = item.id
    label = Int32(item.label)
    loss = item.loss
    draws = UInt32(item.draws)
    prediction = item.prediction
  }
}

/// The image of an item, or how large it is where it lies elsewhere: in a file on disk.
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
