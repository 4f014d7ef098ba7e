import Foundation
import OnePassCore

/// The state of a Redis stream, read and confirmed over a connection of its own, since the other one waits for entries.
final class RedisMonitor: @unchecked Sendable {
  private let address: BrokerAddress
  private let login: RedisLogin
  private let group: String
  private let lock = NSLock()
  private var connection: RedisConnection?
  private var hasGroup = false
  /// The number of entries ever added, and when it was read.
  private var added: (count: Int?, time: ContinuousClock.Instant)?

  /// - Throws: `OnePassError` if the server cannot be reached within ten seconds, or denies access.
  init(_ address: BrokerAddress, _ login: RedisLogin, group: String) throws {
    (self.address, self.login, self.group) = (address, login, group)
    let end = ContinuousClock.now + .seconds(10)
    while connection == nil {
      do { connection = try RedisConnection(address, login) } catch let broken as RedisConnection.Broken {
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
    guard case .array(let exists)? = try call([["EXISTS", address.stream]]), exists.first?.number == 1 else {
      return nil
    }
    guard let info = try call([["XINFO", "STREAM", address.stream]])?.elements?.first else { return nil }
    let newest = info["last-generated-id"]?.string.flatMap { BrokerOffset($0) }
    let length = info["length"]?.number ?? 0
    let all = info["entries-added"]?.number
    lock.withLock { added = (all, .now) }
    // XINFO has the whole first entry, so that its id is the first element.
    let first = info["first-entry"]?.elements?.first?.string.flatMap { BrokerOffset($0) }
    let deleted = info["max-deleted-entry-id"]?.string.flatMap { BrokerOffset($0) }
    // Entries that XDEL removed between others make the number of those removed at the start unknown.
    let isCounted = deleted.map { deleted in first.map { deleted < $0 } ?? true } ?? false
    return KeptMessages(
      first: first, newest: newest == BrokerOffset(0, 0) ? nil : newest,
      removed: isCounted ? all.map { $0 - length } : nil, added: all)
  }

  /// The number of entries after a place, known for at most a second.
  func lag(after place: PartitionPlace?) -> Int? {
    guard let index = place?.index else { return nil }
    let known = lock.withLock { added }
    if known.map({ .now - $0.time > .seconds(1) }) ?? true { _ = try? keptOrBroken() }
    return lock.withLock { added?.count }.map { max(0, $0 - index) }
  }

  /// Moves the consumer group to a place, so that `XINFO GROUPS` shows the lag.
  func confirm(_ place: PartitionPlace) -> String? {
    do {
      if !hasGroup {
        let created = try call([["XGROUP", "CREATE", address.stream, group, "0"]], isErrorThrown: false)
        if case .error(let words)? = created?.elements?.first, !words.hasPrefix("BUSYGROUP") { return words }
        hasGroup = true
      }
      let read = place.index.map { ["ENTRIESREAD", "\($0)"] } ?? []
      _ = try call([["XGROUP", "SETID", address.stream, group, place.last.description] + read])
      return nil
    } catch { return "\(error)" }
  }

  /// Sends commands and returns their replies, after one attempt to connect again.
  private func call(_ commands: [[String]], isErrorThrown: Bool = true) throws -> RedisValue? {
    lock.lock()
    defer { lock.unlock() }
    for attempt in 0... {
      do {
        let connection = try self.connection ?? RedisConnection(address, login)
        self.connection = connection
        return try .array(
          commands.map { command in
            try connection.send([command.map { Array($0.utf8) }])
            guard let reply = try connection.reply(within: 10) else {
              throw RedisConnection.Broken(reason: "no answer within 10 s")
            }
            if isErrorThrown, case .error(let words) = reply { throw connection.problem(words) }
            return reply
          })
      } catch let broken as RedisConnection.Broken {
        connection = nil
        if attempt == 1 { throw broken }
      }
    }
    return nil
  }
}

extension RedisConnection.Broken: CustomStringConvertible {
  var description: String { reason }
}
