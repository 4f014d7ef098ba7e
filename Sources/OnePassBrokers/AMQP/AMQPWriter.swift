import CBrokers
import Foundation
import OnePassCore

/// Publishes to a stream of RabbitMQ with confirmations, many messages in flight.
final class AMQPWriter: BrokerWriter {
  private let address: BrokerAddress
  private let settings: BrokerSettings
  private var connection: AMQPConnection?
  /// The number of messages that were published; the tag of the last one.
  private var published: UInt64 = 0
  /// The sizes of the unconfirmed messages by their tags, and the lowest tag that may be among them.
  private var sizes: [UInt64: Int] = [:]
  private var lowest: UInt64 = 1
  private var bytesInFlight = 0

  private static let messagesInFlight = 1_024
  private static let confirmationSeconds = 10.0
  /// The arguments of the queue that can be given as properties.
  private static let limits = ["x-max-length-bytes", "x-stream-max-segment-size-bytes"]

  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    let properties = try ConnectionProperties(address, settings, others: Self.limits)
    (self.address, self.settings) = (address, settings)
    do {
      connection = try Self.open(address, properties)
    } catch let lost as ConnectionLost {
      throw OnePassError.brokerUnreachable(address, reason: lost.reason)
    }
  }

  private static func open(_ address: BrokerAddress, _ properties: ConnectionProperties) throws
    -> AMQPConnection
  {
    var connection = try AMQPConnection(address, properties)
    do {
      try declare(on: connection, properties)
    } catch let error as OnePassError where isOtherLimit(error) {
      // A stream with other limits. The refusal has closed the channel.
      connection = try AMQPConnection(address, properties)
      _ = try AMQPConsumer.declared(on: connection)
    }
    _ = connection.library.pointee.amqp_confirm_select(connection.pointer, AMQPConnection.channel)
    try connection.check()
    return connection
  }

  /// Whether a stream exists that was declared with other limits.
  private static func isOtherLimit(_ error: OnePassError) -> Bool {
    error.code == .usage && error.message.contains("arg 'x-") && !error.message.contains("arg 'x-queue-type'")
  }

  private static func declare(on connection: AMQPConnection, _ properties: ConnectionProperties) throws {
    let arguments = AMQPTable(capacity: 1 + limits.count)
    arguments.add("x-queue-type", Array("stream".utf8))
    for name in limits {
      guard let text = properties.others[name] else { continue }
      guard let number = Int64(text), number > 0 else {
        throw OnePassError.invalidBrokerProperty(name, reason: "\(text) is not a number of bytes")
      }
      arguments.add(name, number)
    }
    try AMQPConsumer.withBytes(connection.address.stream) {
      _ = connection.library.pointee.amqp_queue_declare(
        connection.pointer, AMQPConnection.channel, $0, 0, 1, 0, 0, arguments.table)
      try connection.check()
    }
  }

  func send(_ message: BrokerMessage) throws {
    let size = message.byteCount
    while sizes.count >= Self.messagesInFlight
      || bytesInFlight > 0 && bytesInFlight + size > settings.fetchBytes
    {
      try awaitConfirmation()
    }
    try naming { try publish(message, on: $0) }
    published += 1
    sizes[published] = size
    bytesInFlight += size
  }

  func flush() throws {
    while !sizes.isEmpty { try awaitConfirmation() }
  }

  func close() { connection = nil }

  /// Words a lost connection.
  private func naming<Result>(_ body: (AMQPConnection) throws -> Result) throws -> Result {
    guard let connection else {
      throw OnePassError.brokerUnreachable(address, reason: "the writer is closed")
    }
    do {
      return try body(connection)
    } catch let lost as ConnectionLost {
      throw OnePassError.unacknowledged(address, sizes.count, reason: lost.reason)
    }
  }

  private func publish(_ message: BrokerMessage, on connection: AMQPConnection) throws {
    let key = message.key.map { [BrokerHeader(AMQPHeaders.key, $0)] } ?? []
    let table = AMQPTable(capacity: message.headers.count + 1)
    var properties = CBAMQPProperties()
    properties.flags = UInt32(cb_amqp_headers_flag | cb_amqp_delivery_mode_flag)
    properties.delivery_mode = 2
    defer { properties.content_type.start?.deallocate() }
    for header in key + message.headers {
      guard (1...255).contains(header.name.utf8.count), header.name != AMQPHeaders.offset else {
        throw OnePassError.invalidHeader(address, header.name)
      }
      if header.name == AMQPHeaders.contentType, properties.content_type.start == nil,
        header.value.count < 256
      {
        properties.content_type = AMQPTable.copy(header.value)
        properties.flags |= UInt32(cb_amqp_content_type_flag)
      } else {
        table.add(header.name, header.value)
      }
    }
    properties.headers = table.table
    try AMQPConsumer.withBytes(address.stream) { queue in
      try message.body.withUnsafeBytes { body in
        let bytes = CBAMQPBytes(count: body.count, start: UnsafeMutableRawPointer(mutating: body.baseAddress))
        // Mandatory: a queue that was deleted returns the message instead of dropping it.
        try connection.check(
          connection.library.pointee.amqp_basic_publish(
            connection.pointer, AMQPConnection.channel, CBAMQPBytes(), queue, 1, 0, &properties, bytes))
      }
    }
    withExtendedLifetime(table) {}
  }

  private func awaitConfirmation() throws {
    let method = try naming { connection in
      connection.library.pointee.amqp_maybe_release_buffers(connection.pointer)
      guard let method = try connection.method(seconds: Self.confirmationSeconds) else {
        throw ConnectionLost(reason: "no confirmation within \(Int(Self.confirmationSeconds)) seconds")
      }
      return method
    }
    switch method.id {
    case cb_amqp_basic_ack:
      guard let content = method.content else { return }
      let ack = content.assumingMemoryBound(to: CBAMQPAck.self).pointee
      if ack.multiple == 0 { return confirm(ack.tag) }
      while lowest <= ack.tag {
        confirm(lowest)
        lowest += 1
      }
    case cb_amqp_basic_nack, cb_amqp_basic_return:
      throw OnePassError.messageRefused(
        address, bytes: sizes.min { $0.key < $1.key }?.value ?? 0,
        reason: method.id == cb_amqp_basic_nack ? "the server has refused it" : "the queue was deleted")
    default: break
    }
  }

  private func confirm(_ tag: UInt64) { bytesInFlight -= sizes.removeValue(forKey: tag) ?? 0 }
}
