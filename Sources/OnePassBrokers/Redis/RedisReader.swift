import Foundation
import OnePassCore

/// Reads a stream of Redis or Valkey with XREAD, from an entry of its own choice; no consumer group is needed.
///
/// The next entries are requested before the present ones are taken. Of a reply, only as much is read from the connection as
/// ``BrokerSettings/fetchBytes`` allows.
final class RedisReader: BrokerReader {
  private let address: BrokerAddress
  private let settings: BrokerSettings
  private let properties: ConnectionProperties
  private let monitor: RedisMonitor
  /// The number of entries ever added, for the lag.
  private let added: BackgroundValue<Int>

  private var connection: RedisConnection?
  /// Since when the server is out of reach.
  private var lostSince: ContinuousClock.Instant?
  /// Whether a reply to XREAD is outstanding.
  private var isAsking = false
  private var place: PartitionPlace?
  /// Entries that arrived and were not polled.
  private var arrived: [BrokerMessage] = []
  private var arrivedBytes = 0
  /// The error of the polls after those entries.
  private var problem: OnePassError?
  /// The mean size of an entry, which determines how many are requested.
  private var entryBytes = 16_384.0
  private var nextCheck = ContinuousClock.now
  /// Whether XDEL has removed entries between others, so that the index may be behind.
  private var hasDeletions = false

  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    properties = try ConnectionProperties(redis: address, settings)
    (self.address, self.settings) = (address, settings)
    let monitor = try RedisMonitor(address, properties, group: settings.group)
    self.monitor = monitor
    added = BackgroundValue(every: 1) { (try? monitor.keptOrBroken())?.added }
    guard try monitor.kept() != nil else { throw OnePassError.noSuchStream(address, "stream") }
  }

  func partitionCount() -> Int { 1 }

  func kept(_ partition: Int) throws -> KeptMessages {
    guard let kept = try monitor.kept() else { throw OnePassError.streamDisappeared(address, "stream") }
    added.note(kept.added)
    return kept
  }

  func seek(_ partition: Int, after place: PartitionPlace?) throws {
    (arrived, arrivedBytes, problem, hasDeletions) = ([], 0, nil, false)
    if isAsking { connection = nil }
    (isAsking, nextCheck) = (false, .now)
    // Before the first entry, the entries that were removed count as passed.
    self.place = try place ?? PartitionPlace(BrokerOffset(0, 0), index: kept(partition).removed)
    _ = added.latest
  }

  func poll(_ partition: Int, seconds: Double) throws -> PolledMessages {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if !arrived.isEmpty {
        defer { (arrived, arrivedBytes) = ([], 0) }
        return .messages(arrived)
      }
      if let problem { throw problem }
      let left = (end - .now) / .seconds(1)
      do {
        guard try receive(within: max(0, left)) else { return .end }
        if arrived.isEmpty, problem == nil, left <= 0 { return isAsking ? .nothing : .end }
      } catch let broken as RedisConnection.Broken {
        (connection, isAsking) = (nil, false)
        try wait(after: broken)
        if ContinuousClock.now > end { return .nothing }
      }
    }
  }

  private func wait(after broken: RedisConnection.Broken) throws {
    let since = lostSince ?? .now
    lostSince = since
    guard .now - since < .seconds(settings.patience) else {
      throw OnePassError.brokerUnreachable(address, reason: broken.reason)
    }
    Thread.sleep(forTimeInterval: 0.2)
  }

  // MARK: XREAD

  /// Requests entries, if none are, and receives some.
  /// - Returns: Whether there may be more now; `false` at the end of the stream.
  private func receive(within seconds: Double) throws -> Bool {
    let connection = try self.connection ?? connected()
    if !isAsking { try ask(connection, seconds: seconds) }
    guard isAsking else { return true }
    // The server answers after the time of the request.
    let reply = try connection.reply(within: seconds + 1) { arrivedBytes >= settings.polledBytes }
    if case .error(let words)? = reply { throw RedisConnection.problem(words, address) }
    if reply != nil || !arrived.isEmpty { lostSince = nil }
    guard let reply else { return true }
    isAsking = false
    if case .none = reply { return false }
    try ask(connection, seconds: 0.05)
    return true
  }

  /// Requests entries, unless there is a problem.
  private func ask(_ connection: RedisConnection, seconds: Double) throws {
    if problem == nil { try check() }
    guard problem == nil else { return }
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

  private func connected() throws -> RedisConnection {
    let new = try RedisConnection(address, properties)
    new.handEntries { [unowned self] in take($0) }
    // The server may have lost its last entries.
    (connection, nextCheck) = (new, .now)
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

  /// Checks that the stream is still the one that was read, and that nothing was removed unread. At most once a second, since the
  /// answer has the first and the last entry.
  /// - Precondition: No reply is outstanding, since entries that are under way would count as lost.
  private func check() throws {
    guard let place, .now >= nextCheck else { return }
    nextCheck = .now + .seconds(1)
    guard let kept = try monitor.keptOrBroken() else {
      problem = .streamDisappeared(address, "stream")
      return
    }
    added.note(kept.added)
    if kept.removed == nil { hasDeletions = true }
    if kept.contradicts(place) {
      problem = .isOtherStream(address, kept, place: place.last)
    } else if hasDeletions, place.last == kept.newest, let added = kept.added {
      // At the end, every entry that was not read was deleted.
      self.place?.index = added
      hasDeletions = false
    } else if let lost = kept.lost(after: place), lost > 0 {
      problem = .messagesLost(address, count: lost, after: place.last)
    }
  }

  func confirm(_ places: [PartitionPlace?]) -> String? {
    places.first.flatMap { $0 }.flatMap(monitor.confirm)
  }

  func lag(after place: PartitionPlace?, in partition: Int) -> Int? {
    guard let added = added.latest, let index = place?.index else { return nil }
    return max(0, added - index)
  }

  func close() { connection = nil }
}
