import Foundation
import OnePassCore

/// What a stream of RabbitMQ has now, on any thread.
///
/// AMQP has no request for it, so a short consumer reads the first or the last chunk. The connection is kept for the next inquiry.
final class AMQPInquiry: @unchecked Sendable {
  private let open: () throws -> AMQPConnection
  private let lock = NSLock()
  private var connection: AMQPConnection?

  /// How long a stream that is reported to be empty may take to deliver a message; the report is up to five seconds old.
  private static let secondsOfEmpty = 0.5

  init(open: @escaping () throws -> AMQPConnection) { self.open = open }

  func kept() throws -> KeptMessages {
    try use { connection in
      let newest = try Self.newest(on: connection)
      return Self.kept(first: try newest == nil ? nil : Self.first(on: connection), newest: newest)
    }
  }

  /// RabbitMQ drops whole segments, and uses an offset at the start of each.
  static func kept(first: UInt64?, newest: UInt64?) -> KeptMessages {
    var kept = KeptMessages(
      first: first.map { BrokerOffset($0) }, newest: newest.map { BrokerOffset($0) })
    kept.ownOffsets = 1
    return kept
  }

  /// The offset of the first message; `nil` for an empty stream.
  func first() throws -> UInt64? { try use { try Self.first(on: $0) } }

  /// The offset of the newest message; `nil` for an empty stream.
  func newest() throws -> UInt64? { try use { try Self.newest(on: $0) } }

  /// - Throws: `OnePassError` (`notFound`) if the queue does not exist.
  func checkExistence() throws { _ = try use { try AMQPConsumer.declared(on: $0) } }

  func close() { lock.withLock { connection = nil } }

  private static func first(on connection: AMQPConnection) throws -> UInt64? {
    let consumer = try AMQPConsumer(connection, from: .first, credit: 1)
    let first = try message(of: consumer)
    _ = try consumer.cancel()
    return first?.offset.major
  }

  private static func newest(on connection: AMQPConnection) throws -> UInt64? {
    // RabbitMQ sends a chunk as a whole, before it answers that the consumer has ended.
    let consumer = try AMQPConsumer(connection, from: .last, credit: Int(UInt16.max))
    let first = try message(of: consumer)
    return try consumer.cancel() ?? first?.offset.major
  }

  private static func message(of consumer: AMQPConsumer) throws -> BrokerMessage? {
    if let message = try consumer.next(seconds: secondsOfEmpty) { return message }
    if try AMQPConsumer.declared(on: consumer.connection) == 0 { return nil }
    guard let message = try consumer.next(seconds: 5) else {
      throw ConnectionLost(reason: "the stream does not deliver its messages")
    }
    return message
  }

  /// Uses the connection. One that was idle may have been closed, so it is replaced once.
  private func use<Result>(_ body: (AMQPConnection) throws -> Result) throws -> Result {
    try lock.withLock {
      let isOld = connection != nil
      do { return try attempt(body) } catch is ConnectionLost where isOld { return try attempt(body) }
    }
  }

  private func attempt<Result>(_ body: (AMQPConnection) throws -> Result) throws -> Result {
    do {
      let used = try connection ?? open()
      connection = used
      return try body(used)
    } catch {
      // A refusal has closed the channel.
      connection = nil
      throw error
    }
  }
}
