import Foundation
import OnePassCore
import OnePassReplay

/// The snapshot of a replay memory as bytes: what JSON says in 200 bytes an item takes 32 here, and 12 more with a prediction.
///
/// Little-endian. The counters as JSON with its length before it, a byte for `hasBeenFull`, then the items, the two
/// arrangements and the subjects, each with its count before it; a subject is the place of its item, and text with its
/// length before it. Where that byte says so, the predictions of all items, in their order, come last.
enum MemoryIndex {
  static func encode(_ snapshot: MemorySnapshot) throws -> Data {
    var data = Data()
    let counters = try JSONEncoder().encode(snapshot.counters)
    data.append(integer: UInt64(counters.count))
    data += counters
    let predictions = snapshot.items.compactMap(\.prediction)
    data.append(integer: UInt8((snapshot.hasBeenFull ? 1 : 0) + (predictions.isEmpty ? 0 : 2)))
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
    for prediction in predictions { prediction.write(to: &data) }
    return data
  }

  /// - Throws: `OnePassError` (`badData`) if the bytes are no snapshot.
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
        items[place] = items[place].with(prediction: try StoredPrediction(from: &reader))
      }
    }
    guard reader.isAtEnd else { throw reader.damage }
    return MemorySnapshot(
      counters: counters, hasBeenFull: flags & 1 != 0, items: items, drawingArrangement: arrangements[0],
      evictingArrangement: arrangements[1])
  }
}

extension MemoryItem {
  fileprivate func with(subject: String? = nil, prediction: StoredPrediction? = nil) -> MemoryItem {
    MemoryItem(
      id: id, label: label, loss: loss, priority: priority, draws: draws, bytes: bytes,
      subject: subject ?? self.subject, prediction: prediction ?? self.prediction)
  }
}
