import Foundation
import OnePassCore
import OnePassReplay

/// The binary form of a memory snapshot. An item takes 32 bytes and its note, compared with 200 bytes in JSON.
///
/// Integers are little-endian. The parts, in order:
///
/// - the counters as JSON, preceded by its length
/// - a byte of flags: bit 0 is `hasBeenFull`, bit 1 is set if there are notes
/// - the items, the two arrangements and the subjects, each preceded by its count; a subject is the index of its item, and its
///   text preceded by the length
/// - the notes of all items, if there are any
enum MemoryIndex {
  static func encode(_ snapshot: MemorySnapshot) throws -> Data {
    var data = Data()
    let encoder = JSONEncoder()
    // Equal runs have equal files.
    encoder.outputFormatting = .sortedKeys
    let counters = try encoder.encode(snapshot.counters)
    data.append(integer: UInt64(counters.count))
    data += counters
    let notes = snapshot.items.compactMap(\.note)
    data.append(integer: UInt8((snapshot.hasBeenFull ? 1 : 0) + (notes.isEmpty ? 0 : 2)))
    data.append(integer: UInt64(snapshot.items.count))
    for item in snapshot.items {
      data.append(integer: Int64(item.id))
      data.append(integer: Int32(item.label))
      data.append(integer: item.loss.bitPattern)
      data.append(integer: item.priority.bitPattern)
      data.append(integer: UInt32(item.draws))
      data.append(integer: UInt64(item.bytes))
    }
    for arrangement in [snapshot.drawingArrangement, snapshot.evictingArrangement] {
      data.append(integer: UInt64(arrangement.count))
      for slot in arrangement { data.append(integer: slot) }
    }
    let subjects = snapshot.items.enumerated().filter { $0.element.subject != nil }
    data.append(integer: UInt64(subjects.count))
    for (place, item) in subjects {
      data.append(integer: UInt64(place))
      data.append(text: item.subject ?? "")
    }
    for note in notes { data += note.bytes }
    return data
  }

  /// - Throws: `OnePassError` (`badData`) if the bytes do not represent a snapshot.
  static func decode(_ data: Data, path: String) throws -> MemorySnapshot {
    var reader = ByteReader(data: data, path: path)
    let counters = try reader.bytes(reader.count(of: 1))
    guard let counters = try? JSONDecoder().decode(MemoryCounters.self, from: counters) else {
      throw reader.damage
    }
    let flags: UInt8 = try reader.integer()
    var items = try (0..<reader.count(of: 32)).map { _ in
      let (id, label) = (Int(try reader.integer() as Int64), Int(try reader.integer() as Int32))
      let (loss, priority) = (
        Float(bitPattern: try reader.integer()), Float(bitPattern: try reader.integer())
      )
      let (draws, bytes) = (Int(try reader.integer() as UInt32), try reader.integer() as UInt64)
      guard bytes < 1 << 40 else { throw reader.damage }
      return MemoryItem(id: id, label: label, loss: loss, priority: priority, draws: draws, bytes: Int(bytes))
    }
    let arrangements = try (0..<2).map { _ in
      try (0..<reader.count(of: 4)).map { _ in try reader.integer() as UInt32 }
    }
    for _ in try 0..<reader.count(of: 16) {
      let place = try reader.integer() as UInt64
      let subject = try reader.text()
      guard place < UInt64(items.count) else { throw reader.damage }
      items[Int(place)] = items[Int(place)].with(subject: subject)
    }
    if flags & 2 != 0 {
      for place in items.indices {
        items[place] = items[place].with(note: ItemNote(try reader.bytes(ItemNote.kind.bytesPerItem)))
      }
    }
    guard reader.isAtEnd else { throw reader.damage }
    return MemorySnapshot(
      counters: counters, hasBeenFull: flags & 1 != 0, items: items, drawingArrangement: arrangements[0],
      evictingArrangement: arrangements[1])
  }
}

extension MemoryItem {
  fileprivate func with(subject: String? = nil, note: ItemNote? = nil) -> MemoryItem {
    MemoryItem(
      id: id, label: label, loss: loss, priority: priority, draws: draws, bytes: bytes,
      subject: subject ?? self.subject, note: note ?? self.note)
  }
}
