import Foundation

/// The last predictions of a stream, at most a fixed number.
struct RecentPredictions: Codable, Hashable {
  private struct Entry: Hashable {
    let isCorrect: Bool
    let probability: Float
    let loss: Float
  }

  private let limit: Int
  private var entries: [Entry] = []
  /// The place of the oldest, once there are `limit`.
  private var oldest = 0

  init(limit: Int) { self.limit = limit }

  mutating func add(isCorrect: Bool, probability: Float, loss: Float) {
    let entry = Entry(isCorrect: isCorrect, probability: probability, loss: loss)
    if entries.count < limit { return entries.append(entry) }
    entries[oldest] = entry
    oldest = (oldest + 1) % limit
  }

  /// The sums over them, added up each time so that no rounding accumulates.
  var sums: PredictionSums {
    var sums = PredictionSums()
    for entry in entries[oldest...] + entries[..<oldest] {
      sums.add(isCorrect: entry.isCorrect, probability: entry.probability, loss: entry.loss)
    }
    return sums
  }
}

// As bytes, since there can be many: 1 for a correct one, probability, loss.
extension RecentPredictions {
  private enum CodingKeys: CodingKey { case limit, oldest, entries }
  private static let entryBytes = 9

  init(from decoder: any Decoder) throws {
    let record = try decoder.container(keyedBy: CodingKeys.self)
    limit = try record.decode(Int.self, forKey: .limit)
    oldest = try record.decode(Int.self, forKey: .oldest)
    let bytes = [UInt8](try record.decode(Data.self, forKey: .entries))
    func float(at place: Int) -> Float {
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
    }
    entries = stride(from: 0, through: bytes.count - Self.entryBytes, by: Self.entryBytes).map {
      Entry(isCorrect: bytes[$0] == 1, probability: float(at: $0 + 1), loss: float(at: $0 + 5))
    }
    guard limit > 0, entries.count <= limit, (0..<max(1, entries.count)).contains(oldest) else {
      throw DecodingError.dataCorruptedError(forKey: .entries, in: record, debugDescription: "wrong count")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var record = encoder.container(keyedBy: CodingKeys.self)
    try record.encode(limit, forKey: .limit)
    try record.encode(oldest, forKey: .oldest)
    var data = Data(capacity: entries.count * Self.entryBytes)
    for entry in entries {
      data.append(entry.isCorrect ? 1 : 0)
      data.append(integer: entry.probability.bitPattern)
      data.append(integer: entry.loss.bitPattern)
    }
    try record.encode(data, forKey: .entries)
  }
}
