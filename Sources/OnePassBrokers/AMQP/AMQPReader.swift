import Foundation
import OnePassCore
import Synchronization

/// Reads a stream of RabbitMQ, which has one partition.
final class AMQPReader: BrokerReader {
  private let address: BrokerAddress
  private let settings: BrokerSettings
  private let connection: Reconnecting<AMQPConnection>
  private let inquiry: AMQPInquiry
  /// For ``lag(after:in:)``, which another thread calls.
  private let quickInquiry: Mutex<AMQPInquiry>
  private var consumer: AMQPConsumer?
  /// The last message that was polled; `nil` at the start.
  private var last: UInt64?
  /// Whether ``last`` was the newest message when nothing came after it.
  private var isAtEnd = false
  /// The error of the next poll.
  private var failure: OnePassError?

  convenience init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    try self.init(address, settings, heartbeat: 30)
  }

  init(_ address: BrokerAddress, _ settings: BrokerSettings, heartbeat: Int) throws {
    let properties = try ConnectionProperties(address, settings)
    (self.address, self.settings) = (address, settings)
    connection = try Reconnecting(address, patience: settings.patience) {
      try AMQPConnection(address, properties, heartbeat: heartbeat)
    }
    inquiry = AMQPInquiry { try AMQPConnection(address, properties) }
    quickInquiry = Mutex(AMQPInquiry { try AMQPConnection(address, properties, seconds: 1) })
    _ = try connection.use { try AMQPConsumer.declared(on: $0) }
  }

  func partitionCount() throws -> Int {
    // On a connection of its own: an unknown queue closes the channel.
    _ = try existing { _ in try AMQPConsumer.declared(on: inquiry.open()) }
    return 1
  }

  func kept(_ partition: Int) throws -> KeptMessages { try existing { _ in try inquiry.kept() } }

  func seek(_ partition: Int, after place: PartitionPlace?) throws {
    (last, failure, isAtEnd) = (place?.last.major, nil, false)
    startAgain()
  }

  func poll(_ partition: Int, seconds: Double) throws -> PolledMessages {
    if let failure { throw failure }
    let deadline = ContinuousClock.now + .seconds(seconds)
    return try existing(until: deadline) { try poll($0, until: deadline) } ?? .nothing
  }

  /// AMQP consumers of streams have no place at the broker that could be shown.
  func confirm(_ places: [PartitionPlace?]) -> String? { nil }

  /// Counts offsets, so it includes the one that RabbitMQ itself uses in each segment.
  func lag(after place: PartitionPlace?, in partition: Int) -> Int? {
    quickInquiry.withLock { inquiry in
      guard let newest = try? inquiry.newest() else { return nil }
      if let place { return Int(newest) - min(Int(newest), Int(place.last.major)) }
      guard let first = try? inquiry.first() else { return nil }
      return Int(newest - min(newest, first)) + 1
    }
  }

  func close() { startAgain() }

  /// Uses the connection to a queue that has existed.
  private func existing<Result>(_ body: (AMQPConnection) throws -> Result) throws -> Result {
    while true {
      if let result = try existing(until: .now + .seconds(settings.patience), body) { return result }
    }
  }

  private func existing<Result>(
    until deadline: ContinuousClock.Instant, _ body: (AMQPConnection) throws -> Result
  ) throws -> Result? {
    do {
      return try connection.use(until: deadline, body)
    } catch let error as OnePassError where error.code == .notFound {
      throw OnePassError.streamDisappeared(address, "queue")
    }
  }

  private func poll(_ connection: AMQPConnection, until deadline: ContinuousClock.Instant) throws
    -> PolledMessages
  {
    let consumer = try currentConsumer(on: connection)
    let messages = try take(from: consumer, until: deadline)
    if !messages.isEmpty { return .messages(messages) }
    if let failure { throw failure }
    if !isAtEnd { isAtEnd = try inquiry.newest().map { last ?? 0 >= $0 && last != nil } ?? true }
    return isAtEnd ? .end : .nothing
  }

  /// The consumer of a connection, which starts again after the last polled message on a new one.
  private func currentConsumer(on connection: AMQPConnection) throws -> AMQPConsumer {
    if let consumer, consumer.connection === connection { return consumer }
    if consumer != nil, let last, try inquiry.newest() ?? 0 < last {
      throw OnePassError.streamDisappeared(address, "queue")
    }
    // A credit for messages of 64 KiB. What is not polled waits in the network and in the server.
    let credit = min(1_000, max(16, settings.fetchBytes >> 16))
    let started = try AMQPConsumer(
      connection, from: last.map { AMQPStart.offset($0 + 1) } ?? .first, credit: credit)
    consumer = started
    return started
  }

  /// Waits for a message, and takes those that have arrived after it.
  ///
  /// Each one moves ``last``, so an interrupted connection continues after it.
  private func take(from consumer: AMQPConsumer, until deadline: ContinuousClock.Instant) throws
    -> [BrokerMessage]
  {
    var (messages, bytes) = ([BrokerMessage](), 0)
    while bytes < settings.polledBytes, messages.count < BrokerSettings.polledMessages {
      let wait = messages.isEmpty ? deadline.secondsLeft : 0
      let next: BrokerMessage?
      do {
        next = try consumer.next(seconds: wait)
      } catch is ConnectionLost where !messages.isEmpty {
        // Those that have arrived count; the next poll finds the connection lost again.
        break
      } catch let error as OnePassError {
        failure = error
        break
      }
      guard let message = next else { break }
      let offset = message.offset.major
      if let last, offset > last + 1 {
        guard messages.isEmpty else {
          // The next poll reads the message again and examines the gap.
          startAgain()
          break
        }
        try checkNothingLost(after: last)
      }
      if message.byteCount > settings.messageBytes {
        failure = .messageTooLarge(
          address, at: "\(offset)", bytes: message.byteCount, limit: settings.messageBytes)
        break
      }
      // A chunk may start before the place. RabbitMQ 3.10.8 skips that part itself; its manual does not promise it.
      if let last, offset <= last { continue }
      last = offset
      isAtEnd = false
      bytes += message.byteCount
      messages.append(message)
    }
    return messages
  }

  /// Examines a gap after a message: RabbitMQ itself uses an offset at the start of each segment, so a gap alone is no loss.
  private func checkNothingLost(after last: UInt64) throws {
    guard let first = try inquiry.first(), first > last + 1 else { return }
    throw OnePassError.messagesLost(address, count: Int(first - last) - 1, after: BrokerOffset(last))
  }

  private func startAgain() {
    consumer = nil
    connection.close()
  }
}
