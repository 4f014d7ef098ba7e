/// Opaque bytes that a trainer stores with an item of the memory.
///
/// Either all items of a memory have a note of the same size, ``ReplayMemory/noteBytes``, or none has one. Notes count as part of
/// the index.
///
/// ```swift
/// var memory = ReplayMemory(capacity: .examples(6_000), seed: 1, noteBytes: 2)
/// try memory.offer(example, loss: 2.3, priority: 0.9, note: ItemNote([7, 204]))
/// print(try memory.draw(1, step: 0, batch: 0)[0].note?.bytes ?? [])  // [7, 204]
/// ```
public struct ItemNote: Hashable, Sendable {
  /// The content.
  public let bytes: [UInt8]

  /// Creates a note.
  /// - Parameter bytes: At least one byte.
  public init(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
    precondition(!self.bytes.isEmpty, "A note must have at least one byte.")
  }
}

/// The notes of all items of an ``ItemTable``, contiguous and in slot order. Empty if the memory stores none.
struct NoteColumn {
  /// The size of a note, in bytes; 0 if the memory stores none.
  let stride: Int
  private var bytes: [UInt8] = []

  init(stride: Int) { self.stride = stride }

  subscript(slot: Int) -> ItemNote? {
    get { stride == 0 ? nil : ItemNote(bytes[range(of: slot)]) }
    set {
      guard let newValue else { return }
      bytes.replaceSubrange(range(of: slot), with: newValue.bytes)
    }
  }

  mutating func append(_ note: ItemNote?) {
    for byte in note?.bytes ?? [] { bytes.appendToTable(byte) }
  }

  /// Removes a note. The last note moves to its slot.
  mutating func swapRemove(_ slot: Int) {
    guard stride > 0 else { return }
    let last = bytes.count / stride - 1
    if slot < last { bytes.replaceSubrange(range(of: slot), with: Array(bytes[range(of: last)])) }
    bytes.removeLast(stride)
  }

  private func range(of slot: Int) -> Range<Int> { slot * stride..<(slot + 1) * stride }
}
