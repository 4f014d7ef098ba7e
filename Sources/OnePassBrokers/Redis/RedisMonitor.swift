import Foundation
import OnePassCore

/// The state of a Redis stream, read and confirmed over a connection of its own, since the other one waits for entries.
final class RedisMonitor: @unchecked Sendable {
  private let address: BrokerAddress
  private let properties: ConnectionProperties
  private let group: String
  private let lock = NSLock()
  private var connection: RedisConnection?

  /// - Throws: `OnePassError` if the server cannot be reached within ten seconds, or denies access.
  init(_ address: BrokerAddress, _ properties: ConnectionProperties, group: String) throws {
    (self.address, self.properties, self.group) = (address, properties, group)
    let end = ContinuousClock.now + .seconds(10)
    while connection == nil {
      do { connection = try connected() } catch let broken as RedisConnection.Broken {
        // A server that loads its data answers, and is ready soon.
        guard broken.reason.hasPrefix("LOADING"), ContinuousClock.now < end else {
          throw OnePassError.brokerUnreachable(address, reason: broken.reason)
        }
        Thread.sleep(forTimeInterval: 0.2)
      }
    }
  }

  /// What the server has kept; `nil` if there is no such stream.
  /// - Throws: `OnePassError`.
  func kept() throws -> KeptMessages? {
    do { return try keptOrBroken() } catch let broken as RedisConnection.Broken {
      throw OnePassError.brokerUnreachable(address, reason: broken.reason)
    }
  }

  /// - Throws: `RedisConnection.Broken` too.
  func keptOrBroken() throws -> KeptMessages? {
    let info = try answer(["XINFO", "STREAM", address.stream])
    if case .error(let words) = info {
      guard words.hasPrefix("ERR no such key") else { throw RedisConnection.problem(words, address) }
      return nil
    }
    let newest = info["last-generated-id"]?.string.flatMap { BrokerOffset($0) }
    let length = info["length"]?.number ?? 0
    let all = info["entries-added"]?.number
    let first = info["first-entry"]?.elements?.first?.string.flatMap { BrokerOffset($0) }
    let deleted = info["max-deleted-entry-id"]?.string.flatMap { BrokerOffset($0) }
    // Entries that XDEL removed between others make the number of those removed at the start unknown.
    let isCounted = deleted.map { deleted in first.map { deleted < $0 } ?? true } ?? false
    return KeptMessages(
      first: first, newest: newest == BrokerOffset(0, 0) ? nil : newest,
      removed: isCounted ? all.map { $0 - length } : nil, added: all)
  }

  /// Moves the consumer group to a place, so that `XINFO GROUPS` shows the lag. The group is created if it does not exist.
  func confirm(_ place: PartitionPlace) -> String? {
    let read = place.index.map { ["ENTRIESREAD", "\($0)"] } ?? []
    let arguments = [address.stream, group, place.last.description] + read
    do {
      guard case .error(let words) = try answer(["XGROUP", "SETID"] + arguments) else { return nil }
      guard words.hasPrefix("NOGROUP") else { return words }
      guard case .error(let refusal) = try answer(["XGROUP", "CREATE"] + arguments) else { return nil }
      return refusal
    } catch { return "\(error)" }
  }

  /// The answer to a command, which may be an error, after one attempt to connect again.
  private func answer(_ command: [String]) throws -> RedisValue {
    try lock.withLock {
      do { return try exchange(command) } catch is RedisConnection.Broken { return try exchange(command) }
    }
  }

  private func exchange(_ command: [String]) throws -> RedisValue {
    do {
      let used = try connection ?? connected()
      connection = used
      try used.send([command.map { Array($0.utf8) }])
      guard let reply = try used.reply(within: 10) else {
        throw RedisConnection.Broken(reason: "no answer within 10 s")
      }
      return reply
    } catch let broken as RedisConnection.Broken {
      connection = nil
      throw broken
    }
  }

  private func connected() throws -> RedisConnection {
    let connection = try RedisConnection(address, properties)
    // XINFO answers with the whole first and last entry. At the depth of their fields, these are dropped as they arrive.
    connection.handEntries { _ in }
    return connection
  }
}

extension RedisConnection.Broken: CustomStringConvertible {
  var description: String { reason }
}
