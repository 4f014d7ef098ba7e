import Foundation
import OnePassBrokers
import OnePassCore

// Overwriting the contents of messages, which keep their numbers.
extension Journal {
  /// Overwrites the bodies of messages with zeros, and removes headers. Sizes and places stay the same.
  ///
  /// A segment is replaced as a whole, so that a crash leaves the old or the new one. Then the old bytes are overwritten.
  /// - Parameters:
  ///   - headers: The names of the headers to remove.
  ///   - isGone: Selects the messages.
  /// - Returns: The number of messages that were overwritten.
  /// - Throws: `OnePassError`: `io`, `badData`. Repeat it after a failure.
  func redact(headers: Set<String>, where isGone: (BrokerMessage) -> Bool) throws -> Int {
    try pausingWrites { segments in
      try segments.reduce(0) { try $0 + redact($1, headers: headers, where: isGone) }
    }
  }

  private func redact(
    _ segment: Segment, headers: Set<String>, where isGone: (BrokerMessage) -> Bool
  ) throws -> Int {
    let path = folder.path(of: segment.first)
    let old = try JournalFile(path, writable: true)
    var (bytes, gone): ([UInt8], [(start: Int, bytes: Int)]) = ([], [])
    bytes.reserveCapacity(segment.bytes)
    _ = try old.scan(to: segment.bytes) { record, payload, start in
      var kept = Array(payload)
      if let message = JournalRecord.message(record.number, payload), isGone(message) {
        kept = JournalRecord.redacted(message, headers: headers, bytes: payload.count)
        gone.append((start, record.recordBytes))
      }
      JournalRecord.append(kept, number: record.number, batch: record.batch, to: &bytes)
      return true
    }
    guard !gone.isEmpty else { return 0 }
    guard bytes.count == segment.bytes else { throw OnePassError.damagedJournal(path, at: bytes.count) }
    try replace(segment, with: bytes)
    for range in gone { try old.write([UInt8](repeating: 0, count: range.bytes), at: range.start) }
    return gone.count
  }
}

extension JournalRecord {
  /// The payload of a message without some headers, and with zeros for its body.
  fileprivate static func redacted(_ message: BrokerMessage, headers: Set<String>, bytes: Int) -> [UInt8] {
    var rest = message
    rest.headers.removeAll { headers.contains($0.name) }
    rest.body = []
    let start = payload(of: rest)
    return start + [UInt8](repeating: 0, count: bytes - start.count)
  }
}
