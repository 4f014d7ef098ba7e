import OnePassCore

// Memory snapshots that contradict themselves, or the memory that is restored from them.
extension OnePassError {
  static func damagedSnapshot(_ damage: SnapshotDamage) -> OnePassError {
    OnePassError(.badData, "The saved memory is damaged: \(damage.description).")
  }
}

/// What is wrong with a memory snapshot. Items are named by their position in the stream.
enum SnapshotDamage: Sendable {
  case priority(Float, item: Int)
  case lossOrLabel(item: Int)
  case imageSize(Int, item: Int)
  case positionOrDraws(item: Int, draws: Int)
  /// The note has another size than the notes of the memory.
  case note(item: Int, expectedBytes: Int)
  /// The image has another size than its item records.
  case image(item: Int, bytes: Int, expectedBytes: Int)
  /// The bytes do not match the encoding.
  case encoding(item: Int)
  case duplicateItem
  case counters(items: Int)
  case capacityExceeded(ReplayMemory.Capacity)
  // Arrangements of selectors
  case orderByClass(items: Int)
  case orderByPriority(items: Int)
  case truncatedOrder
  case unexpectedOrder(selector: String)

  var description: String {
    switch self {
    case .priority(let priority, let item): "the priority of item \(item) is \(priority)"
    case .lossOrLabel(let item): "item \(item) has no valid loss or label"
    case .imageSize(let bytes, let item): "the image of item \(item) has \(bytes) bytes"
    case .positionOrDraws(let item, let draws):
      "item \(item) was never offered, or its number of draws is invalid (\(draws))"
    case .note(let item, let expected): "item \(item) does not have a note of \(expected) bytes"
    case .image(let item, let bytes, let expected):
      "the image of item \(item) has \(bytes) bytes instead of \(expected)"
    case .encoding(let item): "the bytes of the image of item \(item) do not match its encoding"
    case .duplicateItem: "an item occurs twice"
    case .counters(let items): "its counters do not match its \(items) items"
    case .capacityExceeded(.examples(let limit)): "it held more than \(limit) items"
    case .capacityExceeded(.bytes(let limit)): "it held more than \(limit) bytes"
    case .orderByClass(let items): "its order does not group its \(items) items by class"
    case .orderByPriority(let items): "its order does not group its \(items) items by priority"
    case .truncatedOrder: "its order is shorter than its recorded length"
    case .unexpectedOrder(let selector): "it has an order, and its selector \(selector) keeps none"
    }
  }
}
