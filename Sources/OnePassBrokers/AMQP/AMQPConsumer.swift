import CBrokers
import Foundation
import OnePassCore

/// Where a consumer of a stream starts.
enum AMQPStart {
  case first, last
  case offset(UInt64)
}

/// The messages of a stream from a place on, by the only consumer of a connection.
///
/// RabbitMQ sends whole chunks of messages, whatever was allowed. They are read from the connection only when they are polled, so
/// the library holds one message.
final class AMQPConsumer {
  let connection: AMQPConnection
  private var received: UInt64 = 0
  private var acknowledged: UInt64 = 0
  private let credit: UInt64

  private static let tag = "onepass"

  /// - Parameter credit: The number of messages after which the server waits for acknowledgements.
  /// - Throws: `OnePassError` (`notFound`) if the queue does not exist, `usage` if it is not a stream.
  init(_ connection: AMQPConnection, from start: AMQPStart, credit: Int) throws {
    self.connection = connection
    self.credit = UInt64(credit)
    let functions = connection.library.pointee
    _ = try Self.declared(on: connection)
    _ = functions.amqp_basic_qos(connection.pointer, AMQPConnection.channel, 0, UInt16(credit), 0)
    try connection.check()
    connection.isClosable = false
    let arguments = AMQPTable(capacity: 1)
    switch start {
    case .first: arguments.add("x-stream-offset", Array("first".utf8))
    case .last: arguments.add("x-stream-offset", Array("last".utf8))
    case .offset(let offset): arguments.add("x-stream-offset", Int64(clamping: offset))
    }
    try Self.withBytes(connection.address.stream) { queue in
      try Self.withBytes(Self.tag) { tag in
        _ = functions.amqp_basic_consume(
          connection.pointer, AMQPConnection.channel, queue, tag, 0, 0, 0, arguments.table)
        try connection.check()
      }
    }
  }

  /// The number of messages that RabbitMQ reports, which is up to five seconds old.
  static func declared(on connection: AMQPConnection) throws -> Int {
    try withBytes(connection.address.stream) { queue in
      // Without arguments, since those of an existing queue are not compared.
      let declared = connection.library.pointee.amqp_queue_declare(
        connection.pointer, AMQPConnection.channel, queue, 1, 1, 0, 0, CBAMQPTable())
      try connection.check()
      return Int(declared?.pointee.messages ?? 0)
    }
  }

  static func withBytes<Result>(_ text: String, _ body: (CBAMQPBytes) throws -> Result) rethrows -> Result {
    var text = text
    return try text.withUTF8 {
      try body(CBAMQPBytes(count: $0.count, start: UnsafeMutableRawPointer(mutating: $0.baseAddress)))
    }
  }

  /// The next message; `nil` if none arrives in time.
  ///
  /// Within a message the library has no time limit other than the heartbeats.
  /// - Throws: `OnePassError` (`io`) if the queue was deleted.
  func next(seconds: Double) throws -> BrokerMessage? {
    let functions = connection.library.pointee
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
      functions.amqp_maybe_release_buffers(connection.pointer)
      var envelope = CBAMQPEnvelope()
      var limit = timeval(deadline.secondsLeft)
      let reply = functions.amqp_consume_message(connection.pointer, &envelope, &limit, 0)
      if Int(reply.type) == cb_amqp_library_error {
        if Int(reply.library_error) == cb_amqp_timeout {
          // RabbitMQ closes the channel of messages that are not acknowledged for half an hour.
          try acknowledge()
          return nil
        }
        if Int(reply.library_error) == cb_amqp_unexpected_state {
          try receiveMethod()
          continue
        }
      }
      try connection.check(reply)
      defer { functions.amqp_destroy_envelope(&envelope) }
      // Decoded first: an acknowledgement removes the message from a queue that is not a stream.
      let message = try decode(envelope)
      received = envelope.tag
      if received - acknowledged >= max(1, credit / 4) { try acknowledge() }
      return message
    }
  }

  /// Ends the consumer and returns the offset of the last message that was sent before; `nil` if there was none.
  func cancel() throws -> UInt64? {
    let functions = connection.library.pointee
    try Self.withBytes(Self.tag) {
      _ = functions.amqp_basic_cancel(connection.pointer, AMQPConnection.channel, $0)
      try connection.check()
    }
    var last: UInt64?
    while functions.amqp_frames_enqueued(connection.pointer) != 0, let message = try next(seconds: 0) {
      last = message.offset.major
    }
    try acknowledge()
    connection.isClosable = true
    return last
  }

  private func receiveMethod() throws {
    guard let method = try connection.method(seconds: 0), method.id == cb_amqp_basic_cancel else { return }
    throw OnePassError.streamDisappeared(connection.address, "queue")
  }

  /// Acknowledges what was received. A negative acknowledgement would close the connection.
  private func acknowledge() throws {
    guard received > acknowledged else { return }
    try connection.check(
      connection.library.pointee.amqp_basic_ack(connection.pointer, AMQPConnection.channel, received, 1))
    acknowledged = received
  }

  private func decode(_ envelope: CBAMQPEnvelope) throws -> BrokerMessage {
    var message = BrokerMessage(offset: BrokerOffset(0), body: Array(envelope.body.bytes))
    var offset: UInt64?
    let properties = envelope.properties
    if Int(properties.flags) & cb_amqp_content_type_flag != 0 {
      message.headers.append(BrokerHeader(AMQPHeaders.contentType, properties.content_type.bytes))
    }
    let table = Int(properties.flags) & cb_amqp_headers_flag != 0 ? properties.headers : CBAMQPTable()
    for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.count)) {
      let name = String(decoding: entry.name.bytes, as: UTF8.self)
      if name == AMQPHeaders.offset {
        offset = entry.value.number
      } else if let value = entry.value.headerBytes {
        if name == AMQPHeaders.key, message.key == nil {
          message.key = value
        } else {
          message.headers.append(BrokerHeader(name, value))
        }
      }
    }
    guard let offset else {
      throw OnePassError.isNoStreamQueue(connection.address, reason: "its messages have no offsets")
    }
    message.offset = BrokerOffset(offset)
    return message
  }
}

/// The names of headers with a meaning.
enum AMQPHeaders {
  static let offset = "x-stream-offset"
  /// Messages of AMQP have no key; it is this header.
  static let key = "key"
  /// A property of AMQP, and a header of the other brokers.
  static let contentType = "content-type"
}
