import OnePassCore
import Synchronization

/// What is shown in NATS's own tools, and the lag. It has a connection of its own, since it is used by other threads.
final class NATSMonitor: @unchecked Sendable {
  private let address: BrokerAddress
  private let group: String
  private let open: () throws -> NATSConnection
  /// The sequence from which ``backlog()`` counts messages.
  private let next = Mutex(UInt64(1))
  private let lock = Mutex(())
  private var connection: NATSConnection?

  private static let seconds = 1.0

  /// - Parameter group: The name of the consumer that is shown.
  init(_ address: BrokerAddress, group: String, open: @escaping () throws -> NATSConnection) {
    (self.address, self.open) = (address, open)
    self.group = String(group.map { ". *>/\\".contains($0) || $0.isWhitespace ? "_" : $0 })
  }

  /// Shows a place as a durable consumer that starts after it: its unprocessed messages are the lag.
  ///
  /// The consumer is replaced each time, since an existing one keeps its place until messages were delivered and acknowledged,
  /// and nothing is read through it.
  func confirm(_ place: PartitionPlace?) -> String? {
    guard let place else { return nil }
    do {
      try use { stream in
        if let existing = try stream.consumerInfo(group, seconds: Self.seconds) {
          guard existing.config.description == JetStream.consumerDescription else {
            throw OnePassError.foreignConsumer(address, group)
          }
          try stream.deleteConsumer(group, seconds: Self.seconds)
        }
        _ = try stream.createConsumer(
          .init(durableName: group, optStartSeq: place.last.major + 1, ackPolicy: "all"),
          seconds: Self.seconds)
      }
      return nil
    } catch {
      return Self.words(of: error)
    }
  }

  /// Determines the sequence from which ``backlog()`` counts messages.
  func count(from sequence: UInt64) { next.withLock { $0 = sequence } }

  /// What the stream has; `nil` if the server does not answer.
  func backlog() -> NATSBacklog? {
    let next = next.withLock { $0 }
    return try? use { stream in
      let state = try stream.streamInfo(seconds: Self.seconds).state
      let isWhole = state.numDeleted ?? 0 == 0 || state.messages == 0
      guard !isWhole, next > state.firstSeq, next <= state.lastSeq else { return NATSBacklog(state) }
      let consumer = try stream.createConsumer(
        .init(optStartSeq: next, ackPolicy: "none", inactiveThreshold: 1_000_000_000, memStorage: true),
        seconds: Self.seconds)
      try stream.deleteConsumer(consumer.name, seconds: Self.seconds)
      return NATSBacklog(state, counted: (next, Int(consumer.numPending)))
    }
  }

  func close() { lock.withLock { _ in connection = nil } }

  /// Uses the connection, which is opened again the next time if it fails.
  private func use<Result: Sendable>(_ body: (JetStream) throws -> Result) throws -> Result {
    try lock.withLock { _ in
      do {
        let used = try connection ?? open()
        connection = used
        return try body(JetStream(connection: used))
      } catch {
        connection = nil
        throw error
      }
    }
  }

  private static func words(of error: any Error) -> String {
    (error as? OnePassError)?.message ?? (error as? ConnectionLost)?.reason ?? "\(error)"
  }
}

/// What a stream of NATS had, from which the lag of any place follows.
struct NATSBacklog: Sendable {
  private let state: JetStream.StreamInfo.State
  /// The number of messages from a sequence on, which a consumer has counted because some between were deleted.
  private let counted: (next: UInt64, count: Int)?

  init(_ state: JetStream.StreamInfo.State, counted: (next: UInt64, count: Int)? = nil) {
    (self.state, self.counted) = (state, counted)
  }

  /// The number of messages from a sequence on.
  func lag(from next: UInt64) -> Int {
    if state.messages == 0 || next > state.lastSeq { return 0 }
    if next <= state.firstSeq { return state.messages }
    guard let counted else { return Int(state.lastSeq - next) + 1 }
    // Each sequence between counts as a message, until the next answer.
    return max(0, counted.count - (Int(next) - Int(counted.next)))
  }
}
