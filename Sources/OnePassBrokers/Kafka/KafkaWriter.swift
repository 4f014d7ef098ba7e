import CBrokers
import OnePassCore

/// Writes to a topic of Kafka, whose partitions take turns. The topic is created if it does not exist.
final class KafkaWriter: BrokerWriter {
  private let address: BrokerAddress
  private let settings: BrokerSettings
  private let client: KafkaClient
  private let partitions: Int
  private var turn = 0
  /// Messages that were not accepted, and not yet reported.
  private var refused: [OnePassError] = []

  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    let configuration = try KafkaConfiguration(address, settings)
    let client = try KafkaClient(.writer, address, configuration, configuration.writer())
    (self.address, self.settings, self.client) = (address, settings, client)
    if let existing = try client.connect(settings) {
      partitions = existing
    } else {
      partitions = try client.createTopic(partitions: configuration.partitions, settings)
    }
  }

  func send(_ message: BrokerMessage) throws {
    let end = ContinuousClock.now + .seconds(settings.patience)
    while true {
      try report(client.events())
      let code = Int(queue(message))
      guard code == cb_kafka_err_queue_full else {
        turn += 1
        guard code != 0 else { return }
        throw OnePassError.messageRefused(
          address, bytes: message.byteCount, reason: client.problem(Int32(code)).text)
      }
      // The queue is full: events are what happens when it empties, but successes make none.
      try report(client.events(within: 20))
      guard .now < end else {
        throw OnePassError.brokerUnreachable(address, reason: client.problem(Int32(code)).text)
      }
    }
  }

  /// - Returns: librdkafka's code.
  private func queue(_ message: BrokerMessage) -> Int32 {
    let headers = message.headers.isEmpty ? nil : client.headers(message.headers)
    let code = Self.withBytes(message.body) { body in
      Self.withBytes(message.key) { key in
        cb_kafka_produce(
          client.kafka, client.handle, client.topic, Int32(turn % partitions), body.baseAddress, body.count,
          key.baseAddress, key.count, headers)
      }
    }
    if code != 0, let headers { client.kafka.pointee.rd_kafka_headers_destroy(headers) }
    return code
  }

  /// Bytes whose address is `nil` only where there are none, since Kafka distinguishes an empty value from an absent one.
  private static func withBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    guard let bytes else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    guard bytes.isEmpty else { return bytes.withUnsafeBytes(body) }
    return withUnsafeBytes(of: UInt8(0)) { body(UnsafeRawBufferPointer(rebasing: $0.prefix(0))) }
  }

  func flush() throws {
    // A message that is not accepted in time is refused by librdkafka itself, so that this ends.
    while client.kafka.pointee.rd_kafka_flush(client.handle, 100) != 0 { try report(client.events()) }
    try report(client.events())
  }

  /// Throws the first message that was refused; the next ones are thrown by the next calls.
  private func report(_ events: [KafkaEvent]) throws {
    for event in events {
      switch event {
      case .refused(let bytes, let problem):
        refused.append(.messageRefused(address, bytes: bytes, reason: problem.text))
      case .problem(let problem):
        if let error = problem.permanent(address) { throw error }
      }
    }
    if !refused.isEmpty { throw refused.removeFirst() }
  }

  func close() {}
}
