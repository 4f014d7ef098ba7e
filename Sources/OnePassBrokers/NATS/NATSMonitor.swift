import OnePassCore
import Synchronization

/// What is shown in NATS's own tools, and the lag. It has a connection of its own, since it is used by another thread.
final class NATSMonitor {
  private let address: BrokerAddress
  private let group: String
  private let open: () throws -> NATSConnection
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

  /// The number of messages after a place. Where messages between were deleted, a consumer counts the others.
  func lag(after place: PartitionPlace?) -> Int? {
    try? use { stream in
      let state = try stream.streamInfo(seconds: Self.seconds).state
      let next = (place?.last.major ?? 0) + 1
      if state.messages == 0 || next > state.lastSeq { return 0 }
      if next <= state.firstSeq { return state.messages }
      if state.numDeleted ?? 0 == 0 { return Int(state.lastSeq - next) + 1 }
      let consumer = try stream.createConsumer(
        .init(optStartSeq: next, ackPolicy: "none", inactiveThreshold: 1_000_000_000, memStorage: true),
        seconds: Self.seconds)
      try? stream.deleteConsumer(consumer.name, seconds: Self.seconds)
      return Int(consumer.numPending)
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
