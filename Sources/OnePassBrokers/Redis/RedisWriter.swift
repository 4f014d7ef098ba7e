import Foundation
import OnePassCore

/// Appends entries to a stream of Redis with XADD, many of them in flight.
final class RedisWriter: BrokerWriter {
  /// The field of an entry with the body of the message.
  static let bodyField = "body"
  /// The field with its key.
  static let keyField = "key"

  private let address: BrokerAddress
  private let connection: RedisConnection
  /// The sizes of the messages that were not acknowledged, in order.
  private var unacknowledged: ArraySlice<Int> = []
  private var bytesInFlight = 0
  private let limit: Int

  private static let messagesInFlight = 1_000

  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    self.address = address
    limit = settings.fetchBytes
    do { connection = try RedisConnection(address, ConnectionProperties(redis: address, settings)) } catch let
      broken
      as RedisConnection.Broken
    { throw OnePassError.brokerUnreachable(address, reason: broken.reason) }
  }

  func send(_ message: BrokerMessage) throws {
    var command = ["XADD", address.stream, "*", Self.bodyField].map { Array($0.utf8) } + [message.body]
    if let key = message.key { command += [Array(Self.keyField.utf8), key] }
    for header in message.headers { command += [Array(header.name.utf8), header.value] }
    do { try connection.send([command]) } catch { throw meaning(of: error) }
    unacknowledged.append(message.byteCount)
    bytesInFlight += message.byteCount
    while unacknowledged.count > Self.messagesInFlight || (bytesInFlight > limit && unacknowledged.count > 1)
    {
      try acknowledge()
    }
  }

  func flush() throws {
    while !unacknowledged.isEmpty { try acknowledge() }
  }

  private func acknowledge() throws {
    guard let bytes = unacknowledged.first else { return }
    do {
      guard let reply = try connection.reply(within: 60) else {
        throw RedisConnection.Broken(reason: "no answer within 60 s")
      }
      if case .error(let words) = reply {
        guard words.hasPrefix("OOM") else { throw RedisConnection.problem(words, address) }
        throw OnePassError.messageRefused(address, bytes: bytes, reason: words)
      }
    } catch { throw meaning(of: error) }
    unacknowledged.removeFirst()
    bytesInFlight -= bytes
  }

  private func meaning(of error: any Error) -> any Error {
    guard let broken = error as? RedisConnection.Broken else { return error }
    return OnePassError.brokerFailed(
      address, reason: "\(broken.reason); \(unacknowledged.count) messages were not acknowledged")
  }

  func close() {}
}
