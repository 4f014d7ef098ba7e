import Foundation
import OnePassBrokers
import OnePassCore
import Synchronization

/// The images of predictions whose label may come later, on disk.
///
/// They are bounded in number and size, and expire.
package final class WaitingImages: Sendable {
  /// A prediction that waits for its label.
  package struct Prediction: Sendable {
    package let id: String
    /// The class that was predicted, as text: its number, or its name if the classes are open.
    package let predicted: String
    /// The probability of that class, 0 … 1.
    package let probability: Double
    package let subject: String?
    package let expires: Date

    package init(id: String, predicted: String, probability: Double, subject: String?, expires: Date) {
      (self.id, self.predicted, self.probability) = (id, predicted, probability)
      (self.subject, self.expires) = (subject, expires)
    }
  }

  private struct Entry {
    let prediction: Prediction
    let place: Journal.Place
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var bytes = 0
    /// Predictions on their way to the disk: a number that none of them precedes, each, and their size.
    var (coming, comingBytes): ([UInt64], Int) = ([], 0)
    var expired = 0
  }

  /// The header of a message that removes an earlier one.
  private static let removed = "removed"

  private let journal: Journal
  private let limits: WaitingLimits
  private let state: Mutex<State>

  /// Opens or creates the folder of waiting images.
  /// - Throws: `OnePassError`: `io`; `badData` if a file is damaged.
  package init(_ path: String, limits: WaitingLimits = .init()) throws {
    self.limits = limits
    var state = State()
    journal = try Journal(path, segmentBytes: limits.segmentBytes) { message, place in
      if let id = message.text(Self.removed) {
        if let gone = state.entries.removeValue(forKey: id) { state.bytes -= gone.place.bytes }
      } else if let prediction = Prediction(message) {
        state.entries[prediction.id] = Entry(prediction: prediction, place: place)
        state.bytes += place.bytes
      }
    }
    self.state = Mutex(state)
    expire()
  }

  /// What waits, and what has expired since the start of the service.
  package struct Amount: Hashable, Sendable {
    package let images: Int
    package let bytes: Int
    package let expired: Int
  }

  package var amount: Amount {
    state.withLock { Amount(images: $0.entries.count, bytes: $0.bytes, expired: $0.expired) }
  }

  /// The size of the files in bytes.
  package var byteCount: Int { journal.byteCount }

  /// The time of a prediction that is made now.
  package var expiry: Date { Date(timeIntervalSinceNow: limits.seconds) }

  /// Keeps an image until its label comes, and waits until it is on disk.
  /// - Throws: ``WaitingProblem/full``; `OnePassError` (`io`, `diskFull`).
  package func keep(_ image: [UInt8], of prediction: Prediction) async throws {
    expire()
    let number = journal.end
    try state.withLock { state throws(WaitingProblem) in
      guard state.entries.count + state.coming.count < limits.images,
        state.bytes + state.comingBytes + image.count <= limits.bytes
      else { throw .full(until: state.entries.values.map(\.prediction.expires).min()) }
      state.coming.append(number)
      state.comingBytes += image.count
    }
    defer {
      state.withLock {
        if let index = $0.coming.firstIndex(of: number) { $0.coming.remove(at: index) }
        $0.comingBytes -= image.count
      }
    }
    let place = try await journal.append(prediction.message(image))
    state.withLock {
      $0.entries[prediction.id] = Entry(prediction: prediction, place: place)
      $0.bytes += place.bytes
    }
  }

  /// A prediction with its image; `nil` if it is unknown, has its label, or has expired.
  /// - Throws: `OnePassError`: `io`, `badData`.
  package func prediction(_ id: String) throws -> (prediction: Prediction, image: [UInt8])? {
    expire()
    guard let entry = state.withLock({ $0.entries[id] }) else { return nil }
    return (entry.prediction, try journal.message(at: entry.place).body)
  }

  /// Removes a prediction that has its label.
  package func remove(_ id: String) async throws {
    guard drop(id) else { return }
    _ = try await journal.append(.removal(of: id, named: Self.removed))
    removeSegments()
  }

  private func drop(_ id: String) -> Bool {
    state.withLock { state in
      guard let gone = state.entries.removeValue(forKey: id) else { return false }
      state.bytes -= gone.place.bytes
      return true
    }
  }

  /// Removes what has expired.
  package func expire(at time: Date = Date()) {
    let gone = state.withLock { state in
      let gone = state.entries.values.filter { $0.prediction.expires <= time }
      for entry in gone {
        state.entries[entry.prediction.id] = nil
        state.bytes -= entry.place.bytes
      }
      state.expired += gone.count
      return gone
    }
    if !gone.isEmpty { removeSegments() }
  }

  /// Removes the images of subjects, and overwrites them.
  /// - Returns: The number of images.
  func forget(_ subjects: Set<String>) throws -> Int {
    let gone = state.withLock { state in
      let gone = state.entries.values.filter { $0.prediction.subject.map(subjects.contains) ?? false }
      for entry in gone {
        state.entries[entry.prediction.id] = nil
        state.bytes -= entry.place.bytes
      }
      return gone.count
    }
    // Also those that have their label or have expired, and are still in a file. Without an id they are no prediction.
    _ = try journal.redact(headers: ["id", "subject"]) { message in
      message.text("subject").map(subjects.contains) ?? false
    }
    removeSegments()
    return gone
  }

  private func removeSegments() {
    // Before the state, so that what comes after it is not removed.
    let end = journal.end
    let first = state.withLock { ($0.entries.values.map(\.place.number) + $0.coming).min() }
    journal.remove(before: min(first ?? end, end))
  }

  func close() { journal.close() }
}

/// How much may wait for labels.
package struct WaitingLimits: Sendable {
  /// The maximum number of images.
  package var images = 10_000
  /// The maximum size of the images in bytes.
  package var bytes = 256 << 20
  /// How long an image waits, in seconds.
  package var seconds = 86_400.0
  package var segmentBytes = 16 << 20

  package init() {}
}

/// Why an image is not kept.
package enum WaitingProblem: Error, Sendable {
  /// Too many images wait; `until` is when the first expires.
  case full(until: Date?)
}

extension WaitingImages.Prediction {
  fileprivate func message(_ image: [UInt8]) -> BrokerMessage {
    var message = BrokerMessage(offset: BrokerOffset(0), body: image)
    let texts = [
      ("id", id), ("predicted", predicted), ("probability", "\(probability)"),
      ("expires", "\(expires.timeIntervalSince1970)"),
    ]
    message.headers = texts.map { BrokerHeader($0, $1.utf8) }
    if let subject { message.headers.append(BrokerHeader("subject", subject.utf8)) }
    return message
  }

  fileprivate init?(_ message: BrokerMessage) {
    guard let id = message.text("id"), let predicted = message.text("predicted"),
      let probability = message.text("probability").flatMap({ Double($0) }),
      let expires = message.text("expires").flatMap({ Double($0) })
    else { return nil }
    self.init(
      id: id, predicted: predicted, probability: probability, subject: message.text("subject"),
      expires: Date(timeIntervalSince1970: expires))
  }
}

extension BrokerMessage {
  fileprivate func text(_ name: String) -> String? {
    header(name).map { String(decoding: $0, as: UTF8.self) }
  }

  fileprivate static func removal(of id: String, named name: String) -> BrokerMessage {
    var message = BrokerMessage(offset: BrokerOffset(0), body: [])
    message.headers = [BrokerHeader(name, id.utf8)]
    return message
  }
}
