import OnePassBrokers
import OnePassCore

/// Reads a journal in order. It belongs to one thread.
struct JournalCursor {
  private let journal: Journal
  /// The number of the next message.
  private(set) var next: UInt64
  private var file: (file: JournalFile, first: UInt64)?
  private var position = 0

  /// - Parameter number: The number of the first message to read. It may have been removed; then the first one that is left.
  init(_ journal: Journal, from number: UInt64) { (self.journal, next) = (journal, number) }

  /// Reads the next messages; none at the end of the journal.
  /// - Parameter limit: The maximum size of the messages in bytes; one message may be larger.
  /// - Throws: `OnePassError`: `io`, `badData`.
  mutating func read(bytes limit: Int) throws -> [BrokerMessage] {
    guard let segment = journal.segment(of: next) else { return [] }
    if file?.first != segment.first {
      file = (try JournalFile(journal.folder.path(of: segment.first), writable: false), segment.first)
      position = 0
      next = max(next, segment.first)
    }
    guard let file = file?.file else { return [] }
    var (messages, bytes, isFull): ([BrokerMessage], Int, Bool) = ([], 0, false)
    let wanted = next
    let end = try file.scan(from: position, to: segment.bytes) { header, payload, _ in
      guard !isFull else { return false }
      guard header.number >= wanted else { return true }
      guard let message = JournalRecord.message(header.number, payload) else { return false }
      messages.append(message)
      bytes += header.recordBytes
      isFull = bytes >= limit
      return true
    }
    guard let last = messages.last else { throw OnePassError.damagedJournal(file.path, at: end) }
    position = end
    next = last.offset.major + 1
    return messages
  }
}
