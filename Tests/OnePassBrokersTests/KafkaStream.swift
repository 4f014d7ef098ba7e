import CBrokers
import Foundation
import OnePassCore

@testable import OnePassBrokers

/// A topic in tests: what is written to it and read from it.
struct KafkaStream {
  let address: BrokerAddress
  var settings = BrokerSettings()

  init(_ address: BrokerAddress, patience: Double = 8, _ properties: [String: String] = [:]) {
    self.address = address
    (settings.patience, settings.properties) = (patience, properties)
  }

  func reader() throws -> any BrokerReader { try address.openReader(settings) }

  /// Writes messages whose bodies are their numbers.
  /// - Parameter size: The bytes of each; 0 for those of the number alone.
  func write(_ numbers: Range<Int>, size: Int = 0) throws {
    let writer = try address.openWriter(settings)
    for number in numbers { try writer.send(Self.message(number, size: size)) }
    try writer.flush()
    writer.close()
  }

  static func message(_ number: Int, size: Int = 0) -> BrokerMessage {
    let text = Array("\(number)".utf8)
    return BrokerMessage(
      offset: BrokerOffset(0), body: text + [UInt8](repeating: 0, count: max(0, size - text.count)))
  }

  static func number(_ message: BrokerMessage) -> Int? {
    Int(String(decoding: message.body.prefix { $0 != 0 }, as: UTF8.self))
  }

  /// Reads to the end of a partition.
  /// - Parameter seconds: The longest time until the end is known.
  static func rest(of reader: any BrokerReader, _ partition: Int = 0, within seconds: Double = 8) throws
    -> [BrokerMessage]
  {
    let end = Date(timeIntervalSinceNow: seconds)
    var read: [BrokerMessage] = []
    while Date() < end {
      switch try reader.poll(partition, seconds: 0.5) {
      case .messages(let messages): read += messages
      case .end: return read
      case .nothing: continue
      }
    }
    return read
  }

  /// Reads a number of messages of a partition, or fewer if they do not arrive in time.
  static func take(_ count: Int, from reader: any BrokerReader, within seconds: Double = 8) throws
    -> [BrokerMessage]
  {
    let end = Date(timeIntervalSinceNow: seconds)
    var read: [BrokerMessage] = []
    while read.count < count, Date() < end {
      if case .messages(let messages) = try reader.poll(0, seconds: 0.5) { read += messages }
    }
    return read
  }
}
