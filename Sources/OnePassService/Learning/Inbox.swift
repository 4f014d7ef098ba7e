import Foundation
import OnePass
import OnePassBrokers
import OnePassCore
import OnePassReplay
import Synchronization

/// The examples that were accepted and may not be trained yet, on disk.
///
/// Each has a position, which is that of the ledger. A key makes a repeated request exact: it returns the position of the first.
package final class Inbox: Sendable {
  /// An example as it was sent.
  package struct NewExample: Sendable {
    package var image: [UInt8]
    /// The class as text: its number, or its name if the classes are open.
    package var label: String
    package var subject: String?
    /// Identifies the request; `nil` if it may not be repeated.
    package var key: String?
    /// The class that was predicted when the image arrived; `nil` if none was.
    package var predicted: String?

    package init(
      image: [UInt8], label: String, subject: String? = nil, key: String? = nil, predicted: String? = nil
    ) {
      (self.image, self.label, self.subject, self.key, self.predicted) = (
        image, label, subject, key, predicted
      )
    }
  }

  /// The answer to an example.
  package struct Accepted: Hashable, Sendable {
    /// The position in the ledger, from 0.
    package let position: Int
    /// Whether an earlier request with the same key had been accepted.
    package let isRepeated: Bool
  }

  /// How many predictions have got their label, and how many of them were right.
  package struct LateLabels: Codable, Hashable, Sendable {
    package var labelled = 0
    package var correct = 0
  }

  static let labelHeader = "label"
  static let subjectHeader = "subject"
  static let predictedHeader = "predicted"

  let journal: Journal
  private let limits: InboxLimits
  private let keys: KeyIndex
  /// The number of examples that are trained and saved.
  private let settled = Mutex(0)
  private let trained = Atomic<Int>(0)
  private let lastPosition = Atomic<Int>(.max)
  /// The examples that are being written, and their size.
  private let pending = Atomic<Int>(0)
  private let pendingBytes = Atomic<Int>(0)
  private let lateLabels: Mutex<LateLabelCounts>
  /// The labels of the examples that were not removed when the inbox was opened.
  let firstLabels: Set<String>

  /// Opens or creates the inbox of a service.
  /// - Throws: `OnePassError`: `io`; `badData` if a file is damaged.
  package init(_ path: String, limits: InboxLimits = .init()) throws {
    self.limits = limits
    let keys = try KeyIndex(path, limit: limits.keys)
    var late = try LateLabelCounts(path)
    // A segment that is not full stays, so that it must be small in comparison with the limit.
    let segmentBytes = min(limits.segmentBytes, max(1, limits.bytes / 8))
    var labels: Set<String> = []
    journal = try Journal(path, segmentBytes: segmentBytes) { message, place in
      if let label = message.header(Self.labelHeader) {
        labels.insert(String(decoding: label, as: UTF8.self))
      }
      if let key = message.key {
        keys.restore(String(decoding: key, as: UTF8.self), Int(place.number), Self.digest(of: message))
      }
      if let predicted = message.header(Self.predictedHeader) {
        late.add(isCorrect: predicted == message.header(Self.labelHeader), at: place)
      }
    }
    self.keys = keys
    firstLabels = labels
    lateLabels = Mutex(late)
    trained.store(Int(journal.first ?? journal.end), ordering: .relaxed)
  }

  /// The number of examples that were ever accepted.
  package var accepted: Int { Int(journal.end) }

  /// The number of accepted examples that are not trained.
  package var waiting: Int { max(0, accepted - trained.load(ordering: .relaxed)) }

  package var byteCount: Int { journal.byteCount }

  package var late: LateLabels { lateLabels.withLock(\.sum) }

  // MARK: Accepting

  /// Accepts an example, and waits until it is on disk.
  /// - Throws: ``InboxProblem``; `OnePassError` (`io`, `diskFull`).
  package func add(_ example: NewExample) async throws -> Accepted {
    guard let key = example.key else {
      return Accepted(position: try await append(example), isRepeated: false)
    }
    // A task of its own, so that a client that leaves does not interrupt the record of its key.
    let entry = try keys.entry(for: key, digest: Self.digest(of: example)) {
      Task { [keys] in
        do {
          let position = try await self.append(example)
          keys.finish(key, position)
          return position
        } catch {
          keys.forget(key)
          throw error
        }
      }
    }
    switch entry {
    case .known(let position): return Accepted(position: position, isRepeated: true)
    case .begun(let task, let isMine): return Accepted(position: try await task.value, isRepeated: !isMine)
    }
  }

  /// The position of an example that was accepted with a key; `nil` if there is none, or it was long ago.
  /// - Throws: ``InboxProblem/keyReused`` if it had another label or image.
  package func position(ofKey key: String, _ example: NewExample) throws -> Int? {
    try keys.position(of: key, digest: Self.digest(of: example))
  }

  private func append(_ example: NewExample) async throws -> Int {
    let bytes = example.image.count
    // Before the check, so that examples that arrive at the same time count too.
    let coming = pending.add(1, ordering: .relaxed).newValue
    let comingBytes = pendingBytes.add(bytes, ordering: .relaxed).newValue
    defer {
      pending.subtract(1, ordering: .relaxed)
      pendingBytes.subtract(bytes, ordering: .relaxed)
    }
    guard accepted + coming <= lastPosition.load(ordering: .relaxed) else { throw InboxProblem.ended }
    let waitingBytes = journal.byteCount(from: UInt64(trained.load(ordering: .relaxed)))
    guard waiting + coming <= limits.examples, waitingBytes + comingBytes <= limits.bytes else {
      throw InboxProblem.full
    }
    let place = try await journal.append(message(of: example))
    if let predicted = example.predicted {
      lateLabels.withLock { $0.add(isCorrect: predicted == example.label, at: place) }
    }
    return Int(place.number)
  }

  private func message(of example: NewExample) -> BrokerMessage {
    var message = BrokerMessage(offset: BrokerOffset(0), body: example.image)
    message.key = example.key.map { Array($0.utf8) }
    message.headers = [BrokerHeader(Self.labelHeader, example.label.utf8)]
    if let subject = example.subject {
      message.headers.append(BrokerHeader(Self.subjectHeader, subject.utf8))
    }
    if let predicted = example.predicted {
      message.headers.append(BrokerHeader(Self.predictedHeader, predicted.utf8))
    }
    return message
  }

  /// What a repeated request must have in common with the first. The image of a late label is known by its key.
  private static func digest(of example: NewExample) -> UInt64 {
    digest(
      example.image, label: example.label, subject: example.subject, isLate: example.predicted != nil)
  }

  private static func digest(of message: BrokerMessage) -> UInt64 {
    func text(_ name: String) -> String? { message.header(name).map { String(decoding: $0, as: UTF8.self) } }
    return digest(
      message.body, label: text(labelHeader) ?? "", subject: text(subjectHeader),
      isLate: message.header(predictedHeader) != nil)
  }

  private static func digest(_ image: [UInt8], label: String, subject: String?, isLate: Bool) -> UInt64 {
    let hash = RunningHash()
    Array(label.utf8).withUnsafeBytes { hash.update($0) }
    guard !isLate else { return hash.value.low }
    Array("\u{0}\(subject ?? "")\u{0}".utf8).withUnsafeBytes { hash.update($0) }
    image.withUnsafeBytes { hash.update($0) }
    return hash.value.low
  }

  // MARK: Forgetting

  /// Overwrites the images of subjects, which keep their positions.
  /// - Returns: The number of examples.
  func forget(_ subjects: Set<String>) throws -> Int {
    try journal.redact(headers: [Self.subjectHeader]) { message in
      message.header(Self.subjectHeader).map { subjects.contains(String(decoding: $0, as: UTF8.self)) }
        ?? false
    }
  }

  // MARK: Training

  /// Accepts no examples from a position on, where the run ends.
  func end(at position: Int) { lastPosition.store(position, ordering: .relaxed) }

  /// Notes how many examples the run has taken and trained.
  func note(trained count: Int) { trained.store(count, ordering: .relaxed) }

  /// Removes segments whose examples are trained and saved. Their keys stay.
  func settle(before position: Int) throws {
    guard
      settled.withLock({ settled in
        defer { settled = max(settled, position) }
        return position > settled
      })
    else { return }
    let gone = journal.segments(before: UInt64(position))
    guard let last = gone.last else { return }
    try keys.save(before: Int(last.end))
    try lateLabels.withLock { try $0.save(before: last.end, in: journal.folder.path) }
    journal.remove(before: last.end)
  }

  func close() { journal.close() }
}

/// How much an inbox holds.
package struct InboxLimits: Sendable {
  /// The maximum number of examples that are not trained.
  package var examples = 100_000
  /// The maximum size of its files in bytes.
  package var bytes = 4 << 30
  /// The number of keys that are remembered.
  package var keys = 1_000_000
  package var segmentBytes = 64 << 20

  package init() {}
}

/// Why an example is not accepted.
package enum InboxProblem: Error, Hashable, Sendable {
  /// There are too many examples that are not trained.
  case full
  /// The run cools down, and has all of its examples.
  case ended
  /// A key came again with another label, subject or image.
  case keyReused
}
