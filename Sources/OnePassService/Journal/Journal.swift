import Foundation
import OnePass
import OnePassBrokers
import OnePassCore

/// A durable sequence of messages in files of this machine, numbered from 0.
///
/// Messages that are appended at the same time are written and synchronised together (group commit). A message has a number
/// only after it is on disk, and only then can it be read. Whole segments are removed from the start.
///
/// `@unchecked Sendable`: `condition` guards all state that changes, apart from `file`, which only the writing thread uses.
final class Journal: @unchecked Sendable {
  /// Where a message is.
  struct Place: Hashable, Sendable {
    let number: UInt64
    /// The first number of its segment.
    let segment: UInt64
    let start: Int
    let bytes: Int
  }

  struct Segment {
    let first: UInt64
    /// The length of the durable part.
    var bytes: Int
  }

  private struct Pending {
    let payload: [UInt8]
    let finish: @Sendable (Result<Place, any Error>) -> Void
  }

  let folder: JournalFolder
  private let segmentBytes: Int
  private let condition = NSCondition()
  private var segments: [Segment]
  private var durableEnd: UInt64
  private var queue: [Pending] = []
  private var isClosed = false
  private var isWriting = false
  private var isPaused = false
  private var file: JournalFile
  /// Whether a failed write may have left bytes behind the durable part.
  private var hasRemains = false

  /// Opens or creates a journal. What a crash has left behind the last whole message is removed.
  /// - Parameters:
  ///   - path: The folder.
  ///   - segmentBytes: The size at which a new segment starts.
  ///   - visit: Receives every message, in order.
  /// - Throws: `OnePassError`: `io`; `badData` if a message is damaged that was on disk.
  init(_ path: String, segmentBytes: Int = 64 << 20, visit: (BrokerMessage, Place) throws -> Void) throws {
    folder = try JournalFolder(path)
    self.segmentBytes = segmentBytes
    let firsts = try folder.firsts()
    var (segments, next): ([Segment], UInt64) = ([], firsts.first ?? 0)
    for first in firsts {
      let file = try JournalFile(folder.path(of: first), writable: first == firsts.last)
      guard first == next else { throw OnePassError.damagedJournal(file.path, at: 0) }
      let end = try file.scan { header, payload, start in
        guard header.number == next, let message = JournalRecord.message(header.number, payload) else {
          return false
        }
        try visit(message, Place(number: next, segment: first, start: start, bytes: header.recordBytes))
        next += 1
        return true
      }
      if first == firsts.last {
        guard try !file.hasRecord(after: end, provingThat: next) else {
          throw OnePassError.damagedJournal(file.path, at: end)
        }
        try file.truncate(to: end)
        try file.synchronise()
      } else if try !file.read(at: end, count: 1).isEmpty {
        throw OnePassError.damagedJournal(file.path, at: end)
      }
      segments.append(Segment(first: first, bytes: end))
    }
    if segments.isEmpty { segments = [Segment(first: 0, bytes: 0)] }
    file = try JournalFile(folder.path(of: segments.last!.first), writable: true)
    try folder.synchronise()
    (self.segments, durableEnd) = (segments, next)
    let thread = Thread { [weak self] in
      while let step = self?.nextBatch() { step() }
    }
    thread.name = "onepass journal"
    thread.start()
  }

  /// The number of messages that were ever written.
  var end: UInt64 { condition.withLock { durableEnd } }

  /// The number of the first message that is left; `nil` if none is.
  var first: UInt64? {
    condition.withLock { segments[0].first < durableEnd ? segments[0].first : nil }
  }

  /// The size of all segments in bytes.
  var byteCount: Int { byteCount(from: 0) }

  /// The size of the segments with messages from a number on, in bytes.
  func byteCount(from number: UInt64) -> Int {
    condition.withLock {
      guard number < durableEnd else { return 0 }
      let start = segments.lastIndex { $0.first <= number } ?? 0
      return segments[start...].reduce(0) { $0 + $1.bytes }
    }
  }

  // MARK: Writing

  /// Appends a message, and waits until it is on disk.
  /// - Throws: `OnePassError` (`io`, `diskFull`); the message is not in the journal then.
  func append(_ message: BrokerMessage) async throws -> Place {
    let payload = JournalRecord.payload(of: message)
    return try await withCheckedThrowingContinuation { continuation in
      append(payload) { continuation.resume(with: $0) }
    }
  }

  private func append(_ payload: [UInt8], finish: @escaping @Sendable (Result<Place, any Error>) -> Void) {
    let isClosed = condition.withLock {
      guard !self.isClosed else { return true }
      queue.append(Pending(payload: payload, finish: finish))
      condition.broadcast()
      return false
    }
    if isClosed { finish(.failure(OnePassError.journal(folder.path, ESHUTDOWN))) }
  }

  /// Waits for messages to write.
  /// - Returns: Writes them; `nil` after the journal was closed.
  private func nextBatch() -> (() -> Void)? {
    let batch: [Pending]? = condition.withLock {
      // Ends now and then, so that a journal without owner is released.
      if queue.isEmpty || isPaused, !isClosed || isPaused {
        _ = condition.wait(until: Date(timeIntervalSinceNow: 1))
      }
      guard !queue.isEmpty, !isPaused else { return isClosed && queue.isEmpty ? nil : [] }
      isWriting = true
      defer { queue = [] }
      return queue
    }
    return batch.map { batch in { [self] in if !batch.isEmpty { commit(batch) } } }
  }

  private func commit(_ batch: [Pending]) {
    let result = Result { try write(batch.map(\.payload)) }
    condition.withLock {
      isWriting = false
      condition.broadcast()
    }
    switch result {
    case .success(let places): for (pending, place) in zip(batch, places) { pending.finish(.success(place)) }
    case .failure(let error): for pending in batch { pending.finish(.failure(error)) }
    }
  }

  private func write(_ payloads: [[UInt8]]) throws -> [Place] {
    var (segment, number) = condition.withLock { (segments.last!, durableEnd) }
    let batch = number
    if segment.bytes >= segmentBytes {
      segment = Segment(first: number, bytes: 0)
      if file.path != folder.path(of: number) {
        file = try JournalFile(folder.path(of: number), writable: true)
      }
      try folder.synchronise()
    }
    try removeRemains(behind: segment)
    var (bytes, places): ([UInt8], [Place]) = ([], [])
    bytes.reserveCapacity(payloads.reduce(0) { $0 + $1.count + JournalRecord.headerBytes })
    for payload in payloads {
      let start = bytes.count
      JournalRecord.append(payload, number: number, batch: batch, to: &bytes)
      places.append(
        Place(
          number: number, segment: segment.first, start: segment.bytes + start, bytes: bytes.count - start))
      number += 1
    }
    do { try file.write(bytes, at: segment.bytes) } catch {
      hasRemains = true
      // At once, so that a crash does not leave a message whose sender got an error.
      try? removeRemains(behind: segment)
      throw error
    }
    condition.withLock {
      if segments.last!.first == segment.first { segments.removeLast() }
      segments.append(Segment(first: segment.first, bytes: segment.bytes + bytes.count))
      durableEnd = number
    }
    return places
  }

  private func removeRemains(behind segment: Segment) throws {
    guard hasRemains else { return }
    try file.truncate(to: segment.bytes)
    hasRemains = false
  }

  /// Calls `body` while nothing is written or removed. Messages wait meanwhile.
  func pausingWrites<Value>(_ body: ([Segment]) throws -> Value) throws -> Value {
    let segments = condition.withLock {
      while isWriting || isPaused { condition.wait() }
      isPaused = true
      return self.segments
    }
    defer {
      condition.withLock {
        isPaused = false
        condition.broadcast()
      }
    }
    return try body(segments)
  }

  /// Replaces the contents of a segment by others of the same length.
  /// - Precondition: Writes are paused.
  func replace(_ segment: Segment, with bytes: [UInt8]) throws {
    let path = folder.path(of: segment.first)
    try DurableFile.write(Data(bytes), to: path)
    if path == file.path { file = try JournalFile(path, writable: true) }
  }

  /// Writes what is queued and ends. Later messages are refused.
  func close() {
    condition.withLock {
      isClosed = true
      condition.broadcast()
      while !queue.isEmpty || isWriting { condition.wait() }
    }
  }

  // MARK: Reading

  /// Waits until there is a message from `number` on.
  func wait(for number: UInt64, seconds: Double) {
    let end = Date(timeIntervalSinceNow: seconds)
    condition.withLock {
      while durableEnd <= number, !isClosed, condition.wait(until: end) {}
    }
  }

  /// The segment with a message, or the first one after it.
  func segment(of number: UInt64) -> Segment? {
    condition.withLock {
      guard number < durableEnd else { return nil }
      return segments.last { $0.first <= number } ?? segments.first
    }
  }

  /// Reads a message again.
  /// - Throws: `OnePassError`: `io`, `badData`.
  func message(at place: Place) throws -> BrokerMessage {
    let file = try JournalFile(folder.path(of: place.segment), writable: false)
    var found: BrokerMessage?
    _ = try file.scan(from: place.start, to: place.start + place.bytes) { header, payload, _ in
      found = JournalRecord.message(header.number, payload)
      return false
    }
    guard let found, found.offset.major == place.number else {
      throw OnePassError.damagedJournal(file.path, at: place.start)
    }
    return found
  }

  // MARK: Removing

  /// The segments that hold only messages before a number, each with the number after its last message.
  func segments(before number: UInt64) -> [(first: UInt64, end: UInt64)] {
    condition.withLock {
      zip(segments, segments.dropFirst()).map { ($0.first, $1.first) }.prefix { $1 <= number }.map { $0 }
    }
  }

  /// Removes the segments that hold only messages before a number. The last segment stays.
  func remove(before number: UInt64) {
    let gone = segments(before: number).map(\.first)
    condition.withLock {
      while isPaused { condition.wait() }
      segments.removeAll { gone.contains($0.first) }
    }
    for first in gone { unlink(folder.path(of: first)) }
  }
}
