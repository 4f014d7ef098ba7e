import Foundation

/// The place of a message in a partition of a broker's stream.
///
/// Kafka, NATS and RabbitMQ number their messages, and ``minor`` is 0. Redis names an entry by a time and a number: `1700000000000-3`.
package struct BrokerOffset: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
  package let major: UInt64
  package let minor: UInt64
  /// Whether the text has both numbers.
  private let hasMinor: Bool

  /// Whether it has two numbers, so that offsets are not consecutive.
  package var isDouble: Bool { hasMinor }

  package init(_ number: UInt64) { (major, minor, hasMinor) = (number, 0, false) }

  package init(_ major: UInt64, _ minor: UInt64) {
    (self.major, self.minor, hasMinor) = (major, minor, true)
  }

  /// Parses `42` or `1700000000000-3`.
  package init?(_ text: some StringProtocol) { self.init(utf8: text.utf8) }

  /// Parses a text in bytes. It runs for every message of Redis.
  init?(utf8 text: some Sequence<UInt8>) {
    var numbers: (UInt64?, UInt64?) = (nil, nil)
    var hasMinor = false
    for byte in text {
      switch byte {
      case UInt8(ascii: "-") where !hasMinor: hasMinor = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let number = (hasMinor ? numbers.1 : numbers.0) ?? 0
        let (product, hasOverflow) = number.multipliedReportingOverflow(by: 10)
        let (sum, isTooLarge) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
        guard !hasOverflow, !isTooLarge else { return nil }
        if hasMinor { numbers.1 = sum } else { numbers.0 = sum }
      default: return nil
      }
    }
    guard let major = numbers.0 else { return nil }
    guard hasMinor else {
      self.init(major)
      return
    }
    guard let minor = numbers.1 else { return nil }
    self.init(major, minor)
  }

  package var description: String { hasMinor ? "\(major)-\(minor)" : "\(major)" }

  package static func < (a: BrokerOffset, b: BrokerOffset) -> Bool {
    (a.major, a.minor) < (b.major, b.minor)
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let offset = BrokerOffset(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(text) is not an offset."))
    }
    self = offset
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A message of a broker, copied out of the memory of its client library.
package struct BrokerMessage: Sendable {
  /// The partition, 0 for a stream that has none.
  package var partition = 0
  package var offset: BrokerOffset
  /// The number of messages of the stream up to this one, for brokers whose offsets are not consecutive (Redis); else `nil`.
  package var index: Int?
  package var key: [UInt8]?
  package var headers: [BrokerHeader] = []
  package var body: [UInt8]

  package init(offset: BrokerOffset, body: [UInt8]) { (self.offset, self.body) = (offset, body) }

  /// The memory of the message in bytes.
  package var byteCount: Int {
    body.count + (key?.count ?? 0) + headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.count }
  }

  /// The value of the first header with a name.
  package func header(_ name: String) -> [UInt8]? { headers.first { $0.name == name }?.value }
}

/// A named value of a message. Numbers and Booleans of AMQP are given as their text.
package struct BrokerHeader: Hashable, Sendable {
  package var name: String
  package var value: [UInt8]

  package init(_ name: String, _ value: some Sequence<UInt8>) {
    (self.name, self.value) = (name, Array(value))
  }
}

/// The last message of a partition that was taken.
package struct PartitionPlace: Hashable, Codable, Sendable {
  package var last: BrokerOffset
  /// See ``BrokerMessage/index``.
  package var index: Int?

  package init(_ last: BrokerOffset, index: Int? = nil) { (self.last, self.index) = (last, index) }
}

/// The messages of a partition that its broker has now.
package struct KeptMessages: Sendable {
  /// The offset of the first message that the broker has kept; `nil` if there is none.
  package var first: BrokerOffset?
  /// The offset of the newest message that was ever written, kept or not; `nil` if there was none.
  package var newest: BrokerOffset?
  /// The number of messages removed before ``first`` since the stream was created, for brokers whose offsets are not consecutive;
  /// `nil` if it is unknown.
  package var removed: Int?
  /// The number of messages ever written, for brokers whose offsets are not consecutive.
  package var added: Int?
  /// The number of offsets before ``first`` that the broker may use itself, so that a gap of as many is no loss (RabbitMQ).
  package var ownOffsets = 0

  package init(first: BrokerOffset?, newest: BrokerOffset?, removed: Int? = nil, added: Int? = nil) {
    (self.first, self.newest, self.removed, self.added) = (first, newest, removed, added)
  }

  /// Whether messages are named by times (Redis).
  private var areOffsetsTimes: Bool { added != nil || (first ?? newest)?.isDouble ?? false }

  /// The number of messages after a place that the broker has removed; `nil` if it is unknown.
  /// - Parameter place: The last message that was read; `nil` if none of the partition was.
  package func lost(after place: PartitionPlace?) -> Int? {
    if areOffsetsTimes { return lostByIndex(after: place) }
    guard let newest, place.map({ newest > $0.last }) ?? true else { return 0 }
    let read = place.map { $0.last.major + 1 } ?? 0
    let next = first?.major ?? newest.major + 1
    let lost = next > read ? Int(next - read) : 0
    return lost > ownOffsets ? lost : 0
  }

  /// Indexes count the messages that were read, so that one which was removed unread leaves the index behind.
  private func lostByIndex(after place: PartitionPlace?) -> Int? {
    guard let removed, let added else { return nil }
    guard let place else { return removed }
    guard let index = place.index else { return nil }
    if place.last == newest { return max(0, added - index) }
    return isBehind(place) ? max(0, removed - index) : 0
  }

  /// Whether a place is before the first message that was kept.
  private func isBehind(_ place: PartitionPlace) -> Bool { first.map { place.last < $0 } ?? true }

  /// The place from which to read on after messages were removed unread; never one before `place`.
  package func passing(_ place: PartitionPlace?) -> PartitionPlace? {
    guard let lost = lost(after: place), lost > 0 else { return place }
    if areOffsetsTimes {
      let last = place?.last ?? BrokerOffset(0, 0)
      return PartitionPlace(last, index: (place?.index ?? 0) + lost)
    }
    return first.map { PartitionPlace(BrokerOffset($0.major - 1)) } ?? newest.map { PartitionPlace($0) }
  }

  /// Whether a place cannot be of this stream, because the stream ends before it, or has fewer messages than were read.
  package func contradicts(_ place: PartitionPlace) -> Bool {
    if place.last > newest ?? BrokerOffset(0, 0) { return !isEmptyStart(place) }
    guard let index = place.index, let added else { return false }
    if added < index { return true }
    // Messages that were kept follow the place, so at least those up to it were removed.
    return isBehind(place) && removed.map { $0 < index } ?? false
  }

  /// Whether a place is the start of a stream that has no messages.
  private func isEmptyStart(_ place: PartitionPlace) -> Bool {
    newest == nil && place.last == BrokerOffset(0, 0) && place.index ?? 0 == 0
  }

  /// The place from which everything that is left is read; `nil` at the start of a stream that has lost nothing.
  package var start: PartitionPlace? {
    if areOffsetsTimes { return PartitionPlace(BrokerOffset(0, 0), index: removed) }
    guard let first else { return newest.map { PartitionPlace($0) } }
    return first.major > 0 ? PartitionPlace(BrokerOffset(first.major - 1)) : nil
  }
}
