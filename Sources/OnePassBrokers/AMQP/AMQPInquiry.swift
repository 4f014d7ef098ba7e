import OnePassCore

/// What a stream of RabbitMQ has now. AMQP has no request for it, so a short consumer reads the first or the last chunk.
struct AMQPInquiry {
  /// Opens a connection for one answer.
  let open: () throws -> AMQPConnection

  /// How long a stream that is reported to be empty may take to deliver a message; the report is up to five seconds old.
  private static let secondsOfEmpty = 0.5

  func kept() throws -> KeptMessages {
    let newest = try newest()
    return KeptMessages(
      first: try newest == nil ? nil : first().map { BrokerOffset($0) },
      newest: newest.map { BrokerOffset($0) })
  }

  /// The offset of the first message; `nil` for an empty stream.
  func first() throws -> UInt64? {
    let connection = try open()
    return try message(of: AMQPConsumer(connection, from: .first, credit: 1))?.offset.major
  }

  /// The offset of the newest message; `nil` for an empty stream.
  func newest() throws -> UInt64? {
    let connection = try open()
    // RabbitMQ sends a chunk as a whole, before it answers that the consumer has ended.
    let consumer = try AMQPConsumer(connection, from: .last, credit: Int(UInt16.max))
    guard let first = try message(of: consumer) else { return nil }
    return try consumer.cancel() ?? first.offset.major
  }

  private func message(of consumer: AMQPConsumer) throws -> BrokerMessage? {
    if let message = try consumer.next(seconds: Self.secondsOfEmpty) { return message }
    if try AMQPConsumer.declared(on: consumer.connection) == 0 { return nil }
    guard let message = try consumer.next(seconds: 5) else {
      throw ConnectionLost(reason: "the stream does not deliver its messages")
    }
    return message
  }
}
