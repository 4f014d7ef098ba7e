import Foundation
import OnePassCore

/// Reads a stream of Redis or Valkey with XREAD, from an entry of its own choice; no consumer group is needed.
///
/// The next entries are requested before the present ones are taken. Of a reply, only as much is read from the connection as
/// ``BrokerSettings/fetchBytes`` allows.
final class RedisReader: BrokerReader {
  private let address: BrokerAddress
  private let settings: BrokerSettings
  private let login: RedisLogin
  private let monitor: RedisMonitor

  private var connection: RedisConnection?
  /// Whether a reply to XREAD is outstanding.
  private var isAsking = false
  private var place: PartitionPlace?
  /// Entries that arrived and were not polled.
  private var arrived: [BrokerMessage] = []
  private var arrivedBytes = 0
  private var problem: OnePassError?
  /// The mean size of an entry, which determines how many are requested.
  private var entryBytes = 16_384.0
  private var lastCheck = ContinuousClock.now

  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    login = try RedisLogin(address, settings)
    (self.address, self.settings) = (address, settings)
    monitor = try RedisMonitor(address, login, group: settings.group)
    guard try monitor.kept() != nil else { throw OnePassError.noSuchStream(address, "stream") }
  }

  func partitionCount() -> Int { 1 }

  func kept(_ partition: Int) throws -> KeptMessages {
    guard let kept = try monitor.kept() else { throw OnePassError.streamDisappeared(address, "stream") }
    return kept
  }

  func seek(_ partition: Int, after place: PartitionPlace?) throws {
    (arrived, arrivedBytes, problem) = ([], 0, nil)
    if isAsking { connection = nil }
    isAsking = false
    // Before the first entry, the entries that were removed count as passed.
    self.place = try place ?? PartitionPlace(BrokerOffset(0, 0), index: kept(partition).removed)
  }

  func poll(_ partition: Int, seconds: Double) throws -> PolledMessages {
    let end = ContinuousClock.now + .seconds(seconds)
    var lostSince: ContinuousClock.Instant?
    while true {
      if !arrived.isEmpty {
        defer { (arrived, arrivedBytes) = ([], 0) }
        return .messages(arrived)
      }
      if let problem { throw problem }
      let left = (end - .now) / .seconds(1)
      do {
        guard try receive(within: max(0, left)) else {
          try checkStream()
          return .end
        }
        if arrived.isEmpty, left <= 0 { return isAsking ? .nothing : .end }
      } catch let broken as RedisConnection.Broken {
        (connection, isAsking) = (nil, false)
        let since = lostSince ?? .now
        lostSince = since
        guard .now - since < .seconds(settings.patience) else {
          throw OnePassError.brokerUnreachable(address, reason: broken.reason)
        }
        Thread.sleep(forTimeInterval: 0.2)
        if ContinuousClock.now > end { return .nothing }
      }
    }
  }

  // MARK: XREAD

  /// Requests entries, if none are, and receives some.
  /// - Returns: Whether there may be more now; `false` at the end of the stream.
  private func receive(within seconds: Double) throws -> Bool {
    let connection = try self.connection ?? reconnect()
    if !isAsking { try ask(connection, seconds: seconds) }
    // The server answers after the time of the request.
    let reply = try connection.reply(within: seconds + 1) { arrivedBytes >= settings.polledBytes }
    guard let reply else { return true }
    isAsking = false
    switch reply {
    case .error(let words): throw connection.problem(words)
    case .none: return false
    default:
      if problem == nil { try ask(connection, seconds: 0.05) }
      return true
    }
  }

  private func ask(_ connection: RedisConnection, seconds: Double) throws {
    let count = min(1_000, max(1, Int(Double(settings.fetchBytes) / 2 / entryBytes)))
    // 0 would wait without end. An entry beyond the end wakes the server at once.
    let milliseconds = max(1, Int(min(seconds, 5) * 1_000))
    let after = place?.last.description ?? "0-0"
    try connection.send([
      ["XREAD", "COUNT", "\(count)", "BLOCK", "\(milliseconds)", "STREAMS", address.stream, after].map {
        Array($0.utf8)
      }
    ])
    isAsking = true
  }

  private func reconnect() throws -> RedisConnection {
    let new = try RedisConnection(address, login)
    new.handEntries { [unowned self] in take($0) }
    connection = new
    // The server may have lost its last entries.
    try checkStream(isNew: true)
    return new
  }

  private func take(_ entry: RedisValue) {
    guard problem == nil, let parts = entry.elements, parts.count == 2, let id = parts[0].bytes,
      let offset = BrokerOffset(utf8: id)
    else { return }
    var message = BrokerMessage(offset: offset, body: [])
    // An entry that was deleted in the meantime has no fields.
    let fields = parts[1].elements ?? []
    for index in stride(from: 0, to: fields.count - 1, by: 2) {
      guard let name = fields[index].string, let value = fields[index + 1].bytes else { continue }
      switch name {
      case RedisWriter.bodyField: message.body = value
      case RedisWriter.keyField: message.key = value
      default: message.headers.append(BrokerHeader(name, value))
      }
    }
    let bytes = message.byteCount
    guard bytes <= settings.messageBytes else {
      problem = .messageTooLarge(address, at: "\(offset)", bytes: bytes, limit: settings.messageBytes)
      return
    }
    message.index = place?.index.map { $0 + 1 }
    place = PartitionPlace(offset, index: message.index)
    arrived.append(message)
    arrivedBytes += bytes + MemoryLayout<BrokerMessage>.stride
    entryBytes += (Double(bytes) - entryBytes) / 16
  }

  // MARK: The stream

  /// Checks that the stream is still the one that was read, at most once a second.
  private func checkStream(isNew: Bool = false) throws {
    guard let place, isNew || .now - lastCheck > .seconds(1) else { return }
    lastCheck = .now
    guard let kept = try monitor.keptOrBroken() else {
      throw OnePassError.streamDisappeared(address, "stream")
    }
    if place.last > kept.newest ?? BrokerOffset(0, 0) {
      throw OnePassError.streamWentBack(address, place: place.last, newest: kept.newest)
    }
    if let lost = kept.lost(after: place), lost > 0 {
      throw OnePassError.messagesLost(address, count: lost, after: place.last)
    }
  }

  func confirm(_ places: [PartitionPlace?]) -> String? {
    places.first.flatMap { $0 }.flatMap(monitor.confirm)
  }

  func lag(after place: PartitionPlace?, in partition: Int) -> Int? { monitor.lag(after: place) }

  func close() { connection = nil }
}
