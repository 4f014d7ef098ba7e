import OnePassBrokers
import OnePassCore

/// Reads an ``Inbox`` as a stream of one partition, so that a run trains on it as on a broker's.
final class InboxReader: BrokerReader {
  private let inbox: Inbox
  private let fetchBytes: Int
  private var cursor: JournalCursor

  init(_ inbox: Inbox, fetchBytes: Int = 4 << 20) {
    (self.inbox, self.fetchBytes) = (inbox, fetchBytes)
    cursor = JournalCursor(inbox.journal, from: 0)
  }

  func partitionCount() -> Int { 1 }

  func kept(_ partition: Int) -> KeptMessages {
    let end = inbox.journal.end
    return KeptMessages(
      first: inbox.journal.first.map { BrokerOffset($0) }, newest: end > 0 ? BrokerOffset(end - 1) : nil)
  }

  func seek(_ partition: Int, after place: PartitionPlace?) {
    cursor = JournalCursor(inbox.journal, from: Self.next(after: place))
  }

  private static func next(after place: PartitionPlace?) -> UInt64 { place.map { $0.last.major + 1 } ?? 0 }

  func poll(_ partition: Int, seconds: Double) throws -> PolledMessages {
    var messages = try cursor.read(bytes: fetchBytes)
    if messages.isEmpty {
      inbox.journal.wait(for: cursor.next, seconds: seconds)
      messages = try cursor.read(bytes: fetchBytes)
    }
    return messages.isEmpty ? .end : .messages(messages)
  }

  func confirm(_ places: [PartitionPlace?]) -> String? {
    do {
      try inbox.settle(before: Int(Self.next(after: places.first ?? nil)))
      return nil
    } catch { return "\(error)" }
  }

  func lag(after place: PartitionPlace?, in partition: Int) -> Int? {
    Int(inbox.journal.end - min(inbox.journal.end, Self.next(after: place)))
  }

  func close() {}
}
