import Foundation
import OnePassCore

/// Reads a stream of RabbitMQ, which has one partition.
///
/// After a loss of the connection it starts at the last message again, which the server must still have.
final class AMQPReader: BrokerReader {
  private let address: BrokerAddress
  private let settings: BrokerSettings
  private let connection: Reconnecting<AMQPConnection>
  private let inquiry: AMQPInquiry
  /// What the stream has, for the lag.
  private let ends: BackgroundValue<KeptMessages>
  private var consumer: AMQPConsumer?
  /// The last message that was polled; `nil` at the start.
  private var last: UInt64?
  /// Recognises the last message; `nil` before one was polled.
  private var mark: MessageMark?
  /// Whether the next message should be the last one that was polled.
  private var isVerifying = false
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
    let inquiry = AMQPInquiry { try AMQPConnection(address, properties) }
    self.inquiry = inquiry
    ends = BackgroundValue(every: 5) { try? inquiry.kept() }
    _ = try connection.use { try AMQPConsumer.declared(on: $0) }
  }

  func partitionCount() throws -> Int {
    // Not on the reader's connection: an unknown queue closes the channel.
    try existing { _ in try inquiry.checkExistence() }
    return 1
  }

  func kept(_ partition: Int) throws -> KeptMessages { try existing { _ in try inquiry.kept() } }

  func seek(_ partition: Int, after place: PartitionPlace?) throws {
    (last, mark, failure) = (place?.last.major, nil, nil)
    startAgain()
    _ = ends.latest
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
    guard let ends = ends.latest else { return nil }
    guard let newest = ends.newest?.major, let first = ends.first?.major else { return 0 }
    let next = max(first, place.map { $0.last.major + 1 } ?? first)
    return next > newest ? 0 : Int(newest - next) + 1
  }

  func close() {
    startAgain()
    inquiry.close()
  }

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
    if !isAtEnd {
      isAtEnd =
        try inquiry.newest().map { newest in !isVerifying && last.map { $0 >= newest } ?? false } ?? true
    }
    return isAtEnd ? .end : .nothing
  }

  /// The consumer of a connection, which starts again at the last polled message on a new one.
  private func currentConsumer(on connection: AMQPConnection) throws -> AMQPConsumer {
    if let consumer, consumer.connection === connection { return consumer }
    (isVerifying, isAtEnd) = (mark != nil, false)
    if isVerifying, let last = last.map({ BrokerOffset($0) }) {
      let kept = AMQPInquiry.kept(first: nil, newest: try inquiry.newest())
      guard !kept.contradicts(PartitionPlace(last)) else {
        throw OnePassError.isOtherStream(address, kept, place: last)
      }
    }
    // A credit for messages of 64 KiB. What is not polled waits in the network and in the server.
    let credit = min(1_000, max(16, settings.fetchBytes >> 16))
    let next = last.map { AMQPStart.offset(isVerifying ? $0 : $0 + 1) }
    let started = try AMQPConsumer(connection, from: next ?? .first, credit: credit)
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
      guard !isReplaced(message) else {
        failure = .messageReplaced(address, place: message.offset)
        break
      }
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
    if let newest = messages.last { mark = MessageMark(newest) }
    return messages
  }

  /// Whether the message at the last place is not the one that was polled.
  private func isReplaced(_ message: BrokerMessage) -> Bool {
    guard isVerifying, let last, message.offset.major >= last else { return false }
    isVerifying = false
    return message.offset.major == last && MessageMark(message) != mark
  }

  /// Examines a gap after a message: RabbitMQ itself uses an offset at the start of each segment, so a gap alone is no loss.
  private func checkNothingLost(after last: UInt64) throws {
    let (first, place) = (try inquiry.first(), PartitionPlace(BrokerOffset(last)))
    let lost = AMQPInquiry.kept(first: first, newest: first).lost(after: place) ?? 0
    if lost > 0 { throw OnePassError.messagesLost(address, count: lost, after: place.last) }
  }

  private func startAgain() {
    consumer = nil
    connection.close()
  }
}
